-- Events that these source ranges left as they are now: the check after an insert whose outcome is not known. An
-- event has one live row whatever ClickHouse has merged so far (a count of all rows would shrink with every merge).
SELECT delivery_id, lower(hex(event_id)) AS id, rev
FROM events FINAL
WHERE sign = 1 AND src_topic = {topic:String} AND src_partition = {partition:UInt16}
    AND src_offset BETWEEN {first:UInt64} AND {last:UInt64}
