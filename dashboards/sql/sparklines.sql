-- sparklines: hits per hour of the first 48 hours of deliveries. One row per delivery with a hit in that time.
-- The start is the contact date, else the minute of the first sent, else that of the first hit; earlier hits count there.
--   hits           48 counts of hits in the cut (people = 1: human or unknown; 0: machines too)
WITH
    dated AS
    (
        SELECT delivery_id, toStartOfMinute(toDateTime(contact_date, 'UTC')) AS start FROM deliveries FINAL
        WHERE delivery_id IN {deliveries:Array(UInt64)} AND contact_date IS NOT NULL
    ),
    starts AS
    (
        SELECT delivery_id, assumeNotNull(start) AS start FROM dated
        UNION ALL
        SELECT delivery_id, if(countIf(is_sent) > 0, minIf(minute, is_sent), min(minute)) AS start
        FROM
        (
            SELECT delivery_id, kind = 'sent' AS is_sent, minute
            FROM stat_minute
            WHERE delivery_id IN {deliveries:Array(UInt64)} AND delivery_id NOT IN (SELECT delivery_id FROM dated)
                AND kind <= 'sent' AND kind != 'prepared'
            GROUP BY delivery_id, is_sent, minute
            HAVING sum(n) > 0
        )
        GROUP BY delivery_id
    )
SELECT delivery, arrayMap(hour -> hourly.2[indexOf(hourly.1, hour)], range(48)) AS hits
FROM
(
    SELECT delivery, sumMap([hour], [n]) AS hourly
    FROM
    (
        SELECT m.delivery_id AS delivery, toUInt8(intDiv(greatest(toInt64(m.minute) - toInt64(s.start), 0), 3600)) AS hour, sum(m.n) AS n
        FROM stat_minute AS m
        INNER JOIN starts AS s ON s.delivery_id = m.delivery_id
        WHERE m.delivery_id IN {deliveries:Array(UInt64)} AND m.kind < 'prepared'
            AND ({people:UInt8} = 0 OR m.class != 'machine') AND m.minute < s.start + toIntervalHour(48)
        GROUP BY delivery, hour
    )
    GROUP BY delivery
)
