CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.breakdown_mv{on_cluster} TO {database}.breakdown AS
WITH
    if(toInt8(kind) >= 10,
       [('bounce', toString(reason))],
       arrayConcat(
           [('client', toString(client)), ('version', trimRight(concat(client, ' ', client_version))), ('os', toString(os)),
            ('device', toString(device)), ('network', toString(network)), ('country', toString(country)),
            ('ruleset', toString(ruleset))],
           arrayMap(name -> ('reason', name), splitByChar(',', toString(reasons))))) AS dims
SELECT delivery_id, kind, dim_value.1 AS dim, toDate(event_time) AS day, class, dim_value.2 AS value, sum(toInt64(sign)) AS n
FROM {database}.events
ARRAY JOIN dims AS dim_value
WHERE hit = 1 OR (kind IN ('bounced', 'rejected', 'deferred') AND seed = 0)
GROUP BY delivery_id, kind, dim, day, class, value
COMMENT 'Feeds breakdown from every insert into events.'
