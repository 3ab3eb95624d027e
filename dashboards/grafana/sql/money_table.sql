-- money_table: transactions of the chosen deliveries in the cut by currency (report query money). One row per currency.
--   amount         in the currency's minor units
SELECT m.currency AS currency, m.transactions AS transactions, m.amount AS amount, m.articles AS articles
FROM ({sql:money}) AS m
