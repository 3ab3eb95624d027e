-- reason_table: messages of the chosen deliveries that bounced, were rejected or wait, by reason (report query reasons).
-- One row per reason.
SELECT r.reason AS reason, sumIf(r.messages, r.state = 'bounced_hard') AS hard,
    sumIf(r.messages, r.state = 'bounced_soft') AS soft, sumIf(r.messages, r.state = 'rejected') AS rejected,
    sumIf(r.messages, r.state = 'deferred') AS deferred
FROM ({sql:reasons}) AS r
GROUP BY reason
ORDER BY hard + soft + rejected + deferred DESC, reason
