-- breakdown_values: hits of the chosen deliveries in the cut by one dimension, most first. One row per value.
-- kinds: which kinds of hits; dim: client, version, os, device, network, country, reason or ruleset.
SELECT if(b.value = '', '(unknown)', b.value) AS value, sum(b.n) AS hits
FROM breakdown AS b
WHERE b.delivery_id IN {deliveries:Array(UInt64)} AND b.dim = {dim:String} AND $__dateFilter(b.day)
    AND has({kinds:Array(String)}, toString(b.kind)) AND ({people:UInt8} = 0 OR b.class != 'machine')
GROUP BY value
HAVING hits != 0
ORDER BY hits DESC, value
LIMIT {limit:UInt64}
