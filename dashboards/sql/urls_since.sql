-- urls_since: click hits by link and step since the start. One row per item and step that has any.
-- starts: of `deliveries`, in that order, UTC milliseconds. Hits before the start count in the first step.
-- period_s: seconds since the start, a hit at that very moment included; 0 = no end. step_s: seconds, 0 = one step.
-- by: as in urls. some = 1: only `items` have rows of their own, all other registered links are one row.
--   item, registered, label, url, category   as in urls
--   others         1 for the row of the other registered links, whose item is ''
--   step           k = later than k steps, up to k + 1 steps after the start
--   clicks         click hits in the cut (people = 1: human or unknown; 0: machines too)
SELECT
    {some:UInt8} = 1 AND registered AND NOT has({items:Array(String)}, name) AS others,
    if(others, '', name) AS item,
    registered, step,
    if(uniqExact(link_label) = 1, any(link_label), '') AS label,
    if(uniqExact(link_url) = 1, any(link_url), '') AS url,
    if(uniqExact(link_category) = 1, any(link_category), '') AS category,
    sum(n) AS clicks
FROM
(
    SELECT
        multiIf({by:String} = 'position', toString(c.position),
                u.updated = toDateTime64(0, 3, 'UTC'), '',
                {by:String} = 'category', u.category,
                {by:String} = 'url' OR u.label = '', u.url,
                u.label) AS name,
        if({by:String} = 'position', 1, u.updated > toDateTime64(0, 3, 'UTC')) AS registered,
        u.label AS link_label, u.url AS link_url, toString(u.category) AS link_category, c.step AS step, c.n AS n
    FROM
    (
        SELECT delivery_id, url_id, if({by:String} = 'position', position, 0) AS position,
            if({step_s:Int64} = 0, 0, intDiv(greatest(elapsed_ms - 1, 0), {step_s:Int64} * 1000)) AS step, sum(sign) AS n
        FROM
        (
            SELECT delivery_id, url_id, position, toInt64(sign) AS sign,
                greatest(0, toUnixTimestamp64Milli(event_time)
                    - transform(delivery_id, {deliveries:Array(UInt64)}, {starts:Array(Int64)}, toInt64(0))) AS elapsed_ms
            FROM events
            WHERE delivery_id IN {deliveries:Array(UInt64)} AND hit = 1 AND kind = 'click'
                AND ({people:UInt8} = 0 OR class != 'machine')
        )
        WHERE {period_s:Int64} = 0 OR elapsed_ms <= {period_s:Int64} * 1000
        GROUP BY delivery_id, url_id, position, step
        HAVING n != 0
    ) AS c
    LEFT JOIN (SELECT * FROM delivery_urls FINAL WHERE delivery_id IN {deliveries:Array(UInt64)}) AS u
        ON u.delivery_id = c.delivery_id AND u.url_id = c.url_id
)
GROUP BY others, item, registered, step
HAVING clicks != 0
ORDER BY clicks DESC, item, step
