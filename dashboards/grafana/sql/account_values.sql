-- account_values: accounts that have deliveries, for the variable. One row each: value, name. Values have a = before them,
-- as those of channels do: Grafana knows no empty value.
SELECT concat('=', account) AS value, if(account = '', '(default)', account) AS name
FROM (SELECT DISTINCT account FROM deliveries FINAL)
ORDER BY account
