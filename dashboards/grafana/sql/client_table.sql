-- client_table: opens and clicks of the chosen deliveries in the cut by one dimension (report query clients), most first.
-- dim: client, version, os, device, country or network. One row per value.
SELECT if(c.value = '', '(unknown)', c.value) AS value, c.opens + c.clicks AS hits
FROM ({sql:clients}) AS c
WHERE c.dim = {dim:String}
ORDER BY hits DESC, value
LIMIT {limit:UInt64}
