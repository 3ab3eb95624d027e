-- account_values: accounts that have deliveries, for the variable. One row each: value, name.
SELECT concat('=', account) AS value, if(account = '', '(default)', account) AS name
FROM (SELECT DISTINCT account FROM deliveries FINAL)
ORDER BY account
