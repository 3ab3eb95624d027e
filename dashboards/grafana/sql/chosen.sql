-- chosen: the deliveries that the variables account, channel and delivery choose. One row per delivery.
-- account, channel: 'all', or '=' and the name, which may be empty. delivery: keys, empty = all.
SELECT delivery_id FROM ({sql:chosen_any})
WHERE empty({delivery:Array(UInt64)}) OR has({delivery:Array(UInt64)}, delivery_id)
