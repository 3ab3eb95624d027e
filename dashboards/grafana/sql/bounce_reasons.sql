-- bounce_reasons: bounced, deferred and rejected feed events of the chosen deliveries by reason. One row per reason.
SELECT if(b.value = '', 'other', b.value) AS reason,
    sumIf(b.n, b.kind = 'bounced') AS bounced, sumIf(b.n, b.kind = 'deferred') AS deferred, sumIf(b.n, b.kind = 'rejected') AS rejected
FROM breakdown AS b
WHERE b.delivery_id IN {deliveries:Array(UInt64)} AND b.dim = 'bounce' AND b.kind IN ('bounced', 'deferred', 'rejected')
GROUP BY reason
ORDER BY bounced + deferred + rejected DESC, reason
