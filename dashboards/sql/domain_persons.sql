-- domain_persons: persons who clicked, by the e-mail domain of the message they clicked in. One row per domain.
-- domains: as in query domains. A person who clicked in messages of two domains is in both, so rows don't add up.
--   person_click   distinct persons with a click hit in the cut (people = 1: human or unknown; 0: machines too)
SELECT
    multiIf(s.known = '', 'Unknown', has({domains:Array(String)}, s.known), s.known, 'Others') AS domain,
    uniqExact(c.person) AS person_click
FROM
(
    SELECT delivery_id, message_id, person
    FROM events
    WHERE delivery_id IN {deliveries:Array(UInt64)} AND kind = 'click' AND hit = 1
        AND ({people:UInt8} = 0 OR class != 'machine')
    GROUP BY delivery_id, message_id, person
    HAVING sum(sign) > 0
) AS c
LEFT JOIN
(
    SELECT delivery_id, message_id, lower(domain) AS known
    FROM message_state FINAL
    WHERE delivery_id IN {deliveries:Array(UInt64)}
) AS s ON s.delivery_id = c.delivery_id AND s.message_id = c.message_id
GROUP BY domain
ORDER BY domain
