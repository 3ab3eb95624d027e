-- Which of some segments have their totals loaded.
SELECT DISTINCT spool, segment
FROM audit
WHERE totals != '' AND (spool, segment) IN ({segments:Array(Tuple(String, UInt64))})
