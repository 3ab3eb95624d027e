-- machine_values: machine hits by one dimension (reason, ruleset, network, client), most first. One row per value.
--   share          of the value's own hits: hits of machines / all hits with it
SELECT if(b.value = '', '(unknown)', b.value) AS value, sumIf(b.n, b.class = 'machine') AS machine_hits,
    machine_hits / nullIf(sum(b.n), 0) AS share
FROM breakdown AS b
WHERE b.delivery_id IN {deliveries:Array(UInt64)} AND b.dim = {dim:String} AND b.kind <= 'transaction' AND $__dateFilter(b.day)
GROUP BY value
HAVING machine_hits > 0
ORDER BY machine_hits DESC, value
LIMIT {limit:UInt64}
