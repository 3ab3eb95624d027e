-- bursts: messages of which many different links were followed at once. One row per minute in which bursts begin, most
-- clicks first.
-- A burst: `links` or more distinct links (id and position) of one message within `within_ms` milliseconds, of all counted
-- clicks of both cuts; it begins at the first click of the first such span, and has the clicks up to the span's end.
--   at             UTC
--   messages       with a burst that begins then
--   clicks, machine_clicks   in those bursts, and those of them that are judged machine now
--   most_links     distinct links of the largest of them
SELECT toStartOfMinute(toDateTime(intDiv(started_ms, 1000), 'UTC')) AS at, count() AS messages,
    sum(clicked) AS clicks, sum(clicked_machine) AS machine_clicks, max(distinct_links) AS most_links
FROM
(
    SELECT
        arrayFirstIndex(t -> length(arrayDistinct(arrayMap(c -> c.2, arrayFilter(c -> c.1 >= t AND c.1 <= t + {within_ms:Int64}, clicks))))
            >= {links:UInt32}, arrayMap(c -> c.1, clicks)) AS first,
        clicks[first].1 AS started_ms,
        arrayFilter(c -> c.1 >= started_ms AND c.1 <= started_ms + {within_ms:Int64}, clicks) AS burst,
        length(burst) AS clicked,
        arrayCount(c -> c.3 = 2, burst) AS clicked_machine,
        length(arrayDistinct(arrayMap(c -> c.2, burst))) AS distinct_links
    FROM
    (
        SELECT delivery_id, message_id,
            arraySort(groupArray(2000)((toUnixTimestamp64Milli(event_time), (url_id, position), toInt8(class)))) AS clicks
        FROM
        (
            SELECT delivery_id, message_id, event_id, event_time, url_id, position, class
            FROM events
            PREWHERE delivery_id IN {deliveries:Array(UInt64)} AND kind = 'click' AND hit = 1
            WHERE (delivery_id, message_id) IN
            (
                SELECT delivery_id, message_id FROM message_activity WHERE delivery_id IN {deliveries:Array(UInt64)}
                GROUP BY delivery_id, message_id HAVING sum(click) >= {links:UInt32}
            )
            GROUP BY delivery_id, message_id, event_id, event_time, url_id, position, class
            HAVING sum(sign) > 0
        )
        GROUP BY delivery_id, message_id
        HAVING uniqExact(url_id, position) >= {links:UInt32}
    )
    WHERE first > 0
)
GROUP BY at
ORDER BY clicks DESC, at
LIMIT {limit:UInt32}
