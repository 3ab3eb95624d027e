-- chosen_starts: when the chosen deliveries began (METRICS, report 5). One row per delivery.
--   at             UTC milliseconds of contact date, else first sent, else first hit; 0 where nothing has happened
SELECT k.delivery AS delivery,
    ifNull(toUnixTimestamp64Milli(coalesce(d.contact_date, s.first_sent, s.first_hit)), 0) AS at
FROM (SELECT arrayJoin({deliveries:Array(UInt64)}) AS delivery) AS k
LEFT JOIN (SELECT delivery_id, contact_date FROM deliveries FINAL) AS d ON d.delivery_id = k.delivery
LEFT JOIN ({sql:starts}) AS s ON s.delivery = k.delivery
