-- clickers: how many messages have a click, by one dimension at a time. One row per dimension and value that has any.
-- A message may be clicked in two programs: rows of a dimension can add up to more than the delivery's clickers.
--   dim, value     as in clients
--   clickers       distinct messages with a click hit in the cut
SELECT dim_value.1 AS dim, dim_value.2 AS value, count() AS clickers
FROM
(
    SELECT delivery_id, message_id, dim_value
    FROM
    (
        SELECT delivery_id, message_id, client, client_version, os, device, country, network, sum(sign) AS n
        FROM events
        PREWHERE delivery_id IN {deliveries:Array(UInt64)} AND kind = 'click' AND hit = 1
        WHERE {people:UInt8} = 0 OR class != 'machine'
        GROUP BY delivery_id, message_id, client, client_version, os, device, country, network
        HAVING n > 0
    )
    ARRAY JOIN
        [('client', toString(client)), ('version', trimRight(concat(client, ' ', client_version))), ('os', toString(os)),
         ('device', toString(device)), ('country', toString(country)), ('network', toString(network))] AS dim_value
    GROUP BY delivery_id, message_id, dim_value
)
GROUP BY dim, value
ORDER BY dim, clickers DESC, value
