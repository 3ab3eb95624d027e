-- money: transactions by currency, never added across. One row per currency, largest number of transactions first.
--   transactions: hits in the cut;  amount: minor units of the currency;  articles: pieces
SELECT currency, sum(t.n) AS transactions, sum(t.amount) AS amount, sum(t.articles) AS articles
FROM transactions AS t
WHERE t.delivery_id IN {deliveries:Array(UInt64)} AND ({people:UInt8} = 0 OR t.class != 'machine')
GROUP BY currency
HAVING transactions != 0
ORDER BY transactions DESC, currency
