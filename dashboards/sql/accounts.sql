-- accounts: whose deliveries are registered. One row per account; '' = the default one.
SELECT account FROM deliveries FINAL GROUP BY account ORDER BY account
