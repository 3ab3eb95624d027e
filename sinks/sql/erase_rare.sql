-- Attributes of some messages that no other message of their delivery has: they tell who it is.
SELECT delivery_id, attribute.1, attribute.2
FROM message_state
ARRAY JOIN arrayZip(mapKeys(attributes), mapValues(attributes)) AS attribute
WHERE delivery_id IN
(
    SELECT delivery_id FROM message_state
    WHERE (delivery_id, message_id) IN {messages:Array(Tuple(UInt64, UInt64))} AND notEmpty(attributes)
)
GROUP BY delivery_id, attribute.1, attribute.2
HAVING countIf((delivery_id, message_id) IN {messages:Array(Tuple(UInt64, UInt64))}) > 0
    AND countIf((delivery_id, message_id) NOT IN {messages:Array(Tuple(UInt64, UInt64))}) = 0
