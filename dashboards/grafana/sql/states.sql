-- states: messages of the chosen deliveries by state (report query base_stored). One row per state that has any.
SELECT pair.1 AS state, sum(pair.2) AS messages
FROM ({sql:base_stored}) AS b
ARRAY JOIN
[
    ('sent', b.sent), ('deferred', b.deferred), ('delivered', b.delivered), ('bounced, soft', b.bounced_soft),
    ('bounced, hard', b.bounced_hard), ('rejected', b.rejected)
] AS pair
GROUP BY state
HAVING messages > 0
ORDER BY messages DESC
