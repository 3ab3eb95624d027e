-- domain_values: e-mail domains of the chosen deliveries, those with most messages first. One row each.
SELECT s.domain AS domain
FROM (SELECT lower(toString(domain)) AS domain FROM message_state WHERE delivery_id IN {deliveries:Array(UInt64)}) AS s
WHERE s.domain != ''
GROUP BY domain
ORDER BY count() DESC, domain
LIMIT 100
