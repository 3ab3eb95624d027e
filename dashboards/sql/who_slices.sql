-- who_slices: message keys at which a delivery can be cut into slices of at most `size` messages. One row per cut.
--   upto           the last message key of a slice
SELECT message_id AS upto
FROM
(
    SELECT message_id, row_number() OVER (ORDER BY message_id) AS number
    FROM
    (
        SELECT message_id FROM message_state WHERE delivery_id = {delivery:UInt64}
        UNION ALL
        SELECT message_id FROM message_activity WHERE delivery_id = {delivery:UInt64}
    )
)
WHERE number % {size:UInt64} = 0
GROUP BY upto
ORDER BY upto
