-- over_time: events per day, week or month of the reader's clock, over deliveries. One row per period and split that has any.
-- zone: name of the reader's time zone; from_s, until_s: UTC seconds, the first inside and the second outside.
-- period: day, week (from Monday) or month. split: '' (none), tag or channel; a delivery of several tags is in each.
-- Filters, '' or [] = any: tag, channel, account; everybody = 0: only registered deliveries of `accounts`.
--   period_start   first day of the period
--   split          tag or channel, '' = none
--   sent, delivered, bounced, complaints    feed events without those of seeds
--   opens, clicks  hits in the cut (people = 1: human or unknown; 0: machines too)
--   unsubscribes   confirmed opt-outs in the cut, and `unsubscribed` of the feed
--   hits_people, hits_all    hits of each cut, only at the first of a delivery's tags, so that they add up
WITH
    wanted AS
    (
        SELECT delivery_id FROM deliveries FINAL
        WHERE ({everybody:UInt8} = 1 OR account IN {accounts:Array(String)})
            AND (empty({account:Array(String)}) OR has({account:Array(String)}, account))
            AND ({channel:String} = '' OR channel = {channel:String})
            AND ({tag:String} = '' OR has(tags, {tag:String}))
    )
SELECT s.period_start AS period_start, split, sum(s.sent) AS sent, sum(s.delivered) AS delivered, sum(s.bounced) AS bounced,
    sum(s.opens) AS opens, sum(s.clicks) AS clicks, sum(s.complaints) AS complaints, sum(s.unsubscribes) AS unsubscribes,
    sumIf(s.hits_people, place = 1) AS hits_people, sumIf(s.hits_all, place = 1) AS hits_all
FROM
(
    SELECT
        delivery_id,
        multiIf({period:String} = 'day', toDate(minute, {zone:String}), {period:String} = 'week', toMonday(minute, {zone:String}),
            toStartOfMonth(minute, {zone:String})) AS period_start,
        sumIf(n, kind = 'sent') AS sent, sumIf(n, kind = 'delivered') AS delivered, sumIf(n, kind = 'bounced') AS bounced,
        sumIf(n, kind = 'open' AND in_cut) AS opens, sumIf(n, kind = 'click' AND in_cut) AS clicks,
        sumIf(n, kind = 'complained') AS complaints,
        sumIf(n, kind = 'unsubscribed' OR (how IN ('form', 'one_click') AND in_cut)) AS unsubscribes,
        sumIf(n, kind < 'prepared' AND class != 'machine') AS hits_people, sumIf(n, kind < 'prepared') AS hits_all
    FROM (SELECT *, {people:UInt8} = 0 OR class != 'machine' AS in_cut FROM stat_minute)
    WHERE minute >= fromUnixTimestamp({from_s:Int64}) AND minute < fromUnixTimestamp({until_s:Int64})
        AND (({everybody:UInt8} = 1 AND empty({account:Array(String)}) AND {channel:String} = '' AND {tag:String} = '')
            OR delivery_id IN (SELECT delivery_id FROM wanted))
    GROUP BY delivery_id, period_start
) AS s
LEFT JOIN
(
    SELECT delivery_id,
        multiIf({split:String} = 'channel', [toString(channel)],
            {split:String} = 'tag', arrayDistinct(arrayMap(one -> toString(one), tags)), emptyArrayString()) AS named
    FROM deliveries FINAL
) AS d ON d.delivery_id = s.delivery_id
ARRAY JOIN if(empty(d.named), [''], d.named) AS split, arrayEnumerate(if(empty(d.named), [''], d.named)) AS place
GROUP BY period_start, split
ORDER BY period_start, split
