-- audit_totals: events of the records loaded in the time shown. One row.
--   difference     events - stored - duplicate - sent again - rejected: 0, or the line is wrong
SELECT sum(arraySum(a.events_in)) AS events, sum(arraySum(a.stored)) AS stored,
    sum(arraySum(a.duplicate)) + sum(arraySum(a.late_duplicate)) AS duplicate, sum(arraySum(a.resent)) AS sent_again,
    sum(arraySum(a.rejected)) + sum(arraySum(a.refused)) AS rejected, sum(a.relabelled) AS relabelled,
    toInt64(events) - toInt64(stored + duplicate + sent_again + rejected) AS difference, count() AS records
FROM audit AS a
WHERE $__timeFilter(a.log_time)
