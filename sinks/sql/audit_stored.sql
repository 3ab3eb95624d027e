-- Events that are rows, by minute of the event id: sum(sign) of an event is 1 whatever re-labelled it.
SELECT
    intDiv(reinterpretAsUInt64(reverse(concat('\0\0', substring(event_id, 1, 6)))), 60000) AS minute,
    sum(sign) AS stored
FROM events
WHERE minute >= {since:UInt64} AND minute < {until:UInt64}
GROUP BY minute
HAVING stored != 0
