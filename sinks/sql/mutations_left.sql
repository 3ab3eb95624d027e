-- How many mutations of rows are not done, how many parts they have to do, and why one failed, if any did.
SELECT count(), sum(parts_to_do), max(latest_fail_reason)
FROM system.mutations
WHERE database = currentDatabase() AND NOT is_done AND NOT is_killed AND command NOT LIKE '%MATERIALIZE TTL%'
