-- over_time_domains: events per day, week or month of the reader's clock, by e-mail domain. One row per period and domain.
-- Reads every event of the span, because only the feed knows a message's domain: for a span of weeks, not of years.
-- domains: the settings' report_domains, the rest is 'Others', none known 'Unknown'. Else parameters, filters and columns
-- as in over_time, and rows add up to its.
WITH
    wanted AS
    (
        SELECT delivery_id FROM deliveries FINAL
        WHERE ({everybody:UInt8} = 1 OR account IN {accounts:Array(String)})
            AND (empty({account:Array(String)}) OR has({account:Array(String)}, account))
            AND ({channel:String} = '' OR channel = {channel:String})
            AND ({tag:String} = '' OR has(tags, {tag:String}))
    ),
    active AS
    (
        SELECT delivery_id FROM stat_minute
        WHERE minute >= fromUnixTimestamp({from_s:Int64}) AND minute < fromUnixTimestamp({until_s:Int64})
            AND (({everybody:UInt8} = 1 AND empty({account:Array(String)}) AND {channel:String} = '' AND {tag:String} = '')
                OR delivery_id IN (SELECT delivery_id FROM wanted))
        GROUP BY delivery_id
    )
SELECT e.period_start AS period_start,
    multiIf(m.known = '', 'Unknown', has({domains:Array(String)}, m.known), m.known, 'Others') AS split,
    sumIf(e.n, e.kind = 'sent') AS sent, sumIf(e.n, e.kind = 'delivered') AS delivered, sumIf(e.n, e.kind = 'bounced') AS bounced,
    sumIf(e.n, e.kind = 'open' AND e.in_cut) AS opens, sumIf(e.n, e.kind = 'click' AND e.in_cut) AS clicks,
    sumIf(e.n, e.kind = 'complained') AS complaints,
    sumIf(e.n, e.kind = 'unsubscribed' OR (e.how IN ('form', 'one_click') AND e.in_cut)) AS unsubscribes,
    sumIf(e.n, e.kind < 'prepared' AND e.class != 'machine') AS hits_people, sumIf(e.n, e.kind < 'prepared') AS hits_all
FROM
(
    SELECT delivery_id, message_id, kind, how, class, toInt64(sign) AS n, {people:UInt8} = 0 OR class != 'machine' AS in_cut,
        multiIf({period:String} = 'day', toDate(event_time, {zone:String}),
            {period:String} = 'week', toMonday(event_time, {zone:String}),
            toStartOfMonth(event_time, {zone:String})) AS period_start
    FROM events
    WHERE delivery_id IN (SELECT delivery_id FROM active) AND (hit = 1 OR (toInt8(kind) >= 10 AND seed = 0))
        AND event_time >= fromUnixTimestamp({from_s:Int64}) AND event_time < fromUnixTimestamp({until_s:Int64})
) AS e
LEFT JOIN
(
    SELECT delivery_id, message_id, lower(domain) AS known FROM message_state FINAL
    WHERE delivery_id IN (SELECT delivery_id FROM active)
) AS m ON m.delivery_id = e.delivery_id AND m.message_id = e.message_id
GROUP BY period_start, split
ORDER BY period_start, split
