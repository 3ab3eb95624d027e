-- throughput: events per hour of the reader's clock. One row per hour that has any.
-- zone: name of the reader's time zone; from_s, until_s: UTC seconds, the first inside and the second outside.
--   hour_s         UTC second at which the hour begins
--   sent, delivered, bounced, deferred   feed events without those of seeds and proofs
--   opens, clicks  hits in the cut (people = 1: human or unknown; 0: machines too)
SELECT
    toInt64(toUnixTimestamp(toStartOfHour(minute, {zone:String}))) AS hour_s,
    sumIf(n, kind = 'sent') AS sent, sumIf(n, kind = 'delivered') AS delivered, sumIf(n, kind = 'bounced') AS bounced,
    sumIf(n, kind = 'deferred') AS deferred,
    sumIf(n, kind = 'open') AS opens, sumIf(n, kind = 'click') AS clicks
FROM stat_minute
WHERE delivery_id IN {deliveries:Array(UInt64)} AND kind IN ('open', 'click', 'sent', 'delivered', 'deferred', 'bounced')
    AND (kind >= 'prepared' OR {people:UInt8} = 0 OR class != 'machine')
    AND minute >= fromUnixTimestamp({from_s:Int64}) AND minute < fromUnixTimestamp({until_s:Int64})
GROUP BY hour_s
HAVING sent != 0 OR delivered != 0 OR bounced != 0 OR deferred != 0 OR opens != 0 OR clicks != 0
ORDER BY hour_s
