-- channel_values: channels of registered deliveries, for the variable. One row each: value, name.
SELECT concat('=', channel) AS value, if(channel = '', '(none)', channel) AS name
FROM (SELECT DISTINCT channel FROM deliveries FINAL)
ORDER BY channel
