-- clients: opens and clicks by one dimension at a time. One row per dimension and value that has any.
--   dim            client, version (client and version), os, device, country or network
--   value          '' = unknown
--   opens, clicks  hits in the cut (people = 1: human or unknown; 0: machines too)
SELECT toString(dim) AS dim, value, sumIf(n, kind = 'open') AS opens, sumIf(n, kind = 'click') AS clicks
FROM breakdown
WHERE delivery_id IN {deliveries:Array(UInt64)} AND kind IN ('open', 'click')
    AND dim IN ('client', 'version', 'os', 'device', 'country', 'network')
    AND ({people:UInt8} = 0 OR class != 'machine')
GROUP BY dim, value
HAVING opens != 0 OR clicks != 0
ORDER BY dim, opens DESC, clicks DESC, value
