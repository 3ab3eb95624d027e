-- machine_times: hits of people and of machines over time. One row per step that has any.
-- step_s: seconds, at least 60; steps begin where the reader's clock does (zone: IANA name).
--   at             UTC
--   people, machine, machine_clicks   hits
WITH timeZoneOffset(toTimeZone(minute, {zone:String})) AS ahead
SELECT toDateTime(intDiv(toUnixTimestamp(minute) + ahead, {step_s:UInt32}) * {step_s:UInt32} - ahead, 'UTC') AS at,
    sumIf(n, class != 'machine') AS people, sumIf(n, class = 'machine') AS machine,
    sumIf(n, class = 'machine' AND kind = 'click') AS machine_clicks
FROM stat_minute
WHERE delivery_id IN {deliveries:Array(UInt64)} AND kind IN ('open', 'click', 'optout', 'mirror', 'web', 'transaction')
GROUP BY at
HAVING people != 0 OR machine != 0
ORDER BY at
