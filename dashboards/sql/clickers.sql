-- clickers: how many messages have a click, by one dimension at a time. One row per dimension and value that has any.
-- A message may be clicked in two programs: rows of a dimension can add up to more than the delivery's clickers.
--   dim, value     as in clients
--   clickers       distinct messages with a click hit in the cut
-- What a click came with is one number; messages are counted by their set of numbers, and few sets, not many messages,
-- are then taken apart into dimensions.
SELECT dim_value.1 AS dim, dim_value.2 AS value, sum(messages) AS clickers
FROM
(
    SELECT combos, any(messages) AS messages, dim_value
    FROM
    (
        SELECT combos, count() AS messages
        FROM
        (
            SELECT arraySort(groupArray(combo)) AS combos
            FROM
            (
                SELECT delivery_id, message_id, cityHash64(client, client_version, os, device, country, network) AS combo
                FROM events
                PREWHERE delivery_id IN {deliveries:Array(UInt64)} AND kind = 'click' AND hit = 1
                WHERE {people:UInt8} = 0 OR class != 'machine'
                GROUP BY delivery_id, message_id, combo
                HAVING sum(sign) > 0
            )
            GROUP BY delivery_id, message_id
        )
        GROUP BY combos
    ) AS s
    ARRAY JOIN combos AS combo
    INNER JOIN
    (
        SELECT cityHash64(client, client_version, os, device, country, network) AS combo,
            any([('client', toString(client)), ('version', trimRight(concat(client, ' ', client_version))), ('os', toString(os)),
                 ('device', toString(device)), ('country', toString(country)), ('network', toString(network))]) AS dims
        FROM
        (
            SELECT client, client_version, os, device, country, network
            FROM events
            PREWHERE delivery_id IN {deliveries:Array(UInt64)} AND kind = 'click' AND hit = 1
            GROUP BY client, client_version, os, device, country, network
        )
        GROUP BY combo
    ) AS d ON d.combo = combo
    ARRAY JOIN d.dims AS dim_value
    GROUP BY combos, dim_value
)
GROUP BY dim, value
ORDER BY dim, clickers DESC, value
