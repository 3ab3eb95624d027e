-- activity: opens, clicks and transactions by weekday and half-hour of the reader's clock. One row per kind, weekday and
-- half-hour that has any.
-- zone: the reader's, by its IANA name: summer time counts as the clock showed it.
--   kind           open, click or transaction
--   weekday        1 = Monday … 7 = Sunday;  half_hour: 0 = from midnight, 47 = from 23:30
--   hits           hits in the cut (people = 1: human or unknown; 0: machines too)
SELECT toString(kind) AS kind, toDayOfWeek(minute, 0, {zone:String}) AS weekday,
    toHour(minute, {zone:String}) * 2 + intDiv(toMinute(minute, {zone:String}), 30) AS half_hour,
    sum(n) AS hits
FROM stat_minute
WHERE delivery_id IN {deliveries:Array(UInt64)} AND kind IN ('open', 'click', 'transaction')
    AND ({people:UInt8} = 0 OR class != 'machine')
GROUP BY kind, weekday, half_hour
HAVING hits != 0
ORDER BY kind, weekday, half_hour
