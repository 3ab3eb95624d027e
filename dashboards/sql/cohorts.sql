-- cohorts: deliveries by the day, week or month of the reader's clock in which they were sent. One row per delivery.
-- Visits without a delivery are no delivery: see delivery_list.
-- Sent at: the contact date, else the first sent, else the first hit, the last two to the minute.
-- zone, from_s, until_s, period and filters as in over_time.
--   delivery       key
--   period_start   first day of the period
--   channel, tags  as registered
SELECT k.delivery_id AS delivery, d.channel AS channel, d.tags AS tags,
    coalesce(toDateTime(d.contact_date, 'UTC'), f.first_sent, f.first_hit) AS sent_at,
    assumeNotNull(multiIf({period:String} = 'day', toDate(sent_at, {zone:String}),
        {period:String} = 'week', toMonday(sent_at, {zone:String}), toStartOfMonth(sent_at, {zone:String}))) AS period_start
FROM
(
    SELECT delivery_id FROM deliveries
    UNION DISTINCT
    SELECT delivery_id FROM touched
    WHERE delivery_id != 0 OR 0 IN (SELECT delivery_id FROM stat_minute WHERE delivery_id = 0 AND kind NOT IN ('web', 'transaction'))
) AS k
LEFT JOIN (SELECT * FROM deliveries FINAL) AS d ON d.delivery_id = k.delivery_id
LEFT JOIN
(
    SELECT delivery_id, minOrNullIf(minute, is_sent) AS first_sent, minOrNullIf(minute, NOT is_sent) AS first_hit
    FROM
    (
        SELECT delivery_id, kind = 'sent' AS is_sent, minute
        FROM stat_minute
        WHERE kind <= 'sent' AND kind != 'prepared'
            AND delivery_id NOT IN (SELECT delivery_id FROM deliveries FINAL WHERE contact_date IS NOT NULL)
        GROUP BY delivery_id, is_sent, minute
        HAVING sum(n) > 0
    )
    GROUP BY delivery_id
) AS f ON f.delivery_id = k.delivery_id
WHERE sent_at >= fromUnixTimestamp({from_s:Int64}) AND sent_at < fromUnixTimestamp({until_s:Int64})
    AND ({everybody:UInt8} = 1 OR (d.updated > toDateTime64(0, 3, 'UTC') AND d.account IN {accounts:Array(String)}))
    AND (empty({account:Array(String)}) OR (d.updated > toDateTime64(0, 3, 'UTC') AND has({account:Array(String)}, d.account)))
    AND ({channel:String} = '' OR d.channel = {channel:String})
    AND ({tag:String} = '' OR has(d.tags, {tag:String}))
ORDER BY period_start, delivery
