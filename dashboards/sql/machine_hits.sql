-- machine_hits: hits by delivery and by reason, rule version and network. One row per delivery, dimension and value.
--   dim            reason (of the class; a hit may have several, or none = ''), ruleset, network
--   people, machine   hits of class human or unknown, and of class machine
SELECT delivery_id AS delivery, toString(dim) AS dim, value,
    sumIf(n, class != 'machine') AS people, sumIf(n, class = 'machine') AS machine
FROM breakdown
WHERE delivery_id IN {deliveries:Array(UInt64)} AND dim IN ('reason', 'ruleset', 'network')
    AND kind IN ('open', 'click', 'optout', 'mirror', 'web', 'transaction')
GROUP BY delivery, dim, value
HAVING people != 0 OR machine != 0
ORDER BY delivery, dim, machine DESC, people DESC, value
