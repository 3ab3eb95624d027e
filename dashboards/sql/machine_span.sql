-- machine_span: from the first to the last minute with hits. Always one row.
--   seconds        0 where there are none
SELECT if(count() = 0, 0, dateDiff('second', min(minute), max(minute)) + 60) AS seconds
FROM stat_minute
WHERE delivery_id IN {deliveries:Array(UInt64)} AND kind IN ('open', 'click', 'optout', 'mirror', 'web', 'transaction')
