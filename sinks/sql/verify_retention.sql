-- How many days of event time are kept in events; 0 = all.
SELECT toUInt32OrZero(extract(create_table_query, 'TTL [^\n]*?toIntervalDay\\((\\d+)\\)'))
FROM system.tables
WHERE database = currentDatabase() AND name = 'events'
