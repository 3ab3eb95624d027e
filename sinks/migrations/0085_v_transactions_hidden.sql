-- Columns as in: transactions.
CREATE OR REPLACE VIEW {database}.v_transactions{on_cluster}
(
    delivery_id         UInt64,
    currency            LowCardinality(String),
    day                 Date,
    site                LowCardinality(String),
    transactions        Int64 COMMENT 'transaction hits',
    transactions_people Int64 COMMENT 'transaction hits, people only',
    amount              Int64 COMMENT 'minor units of currency',
    amount_people       Int64 COMMENT 'minor units of currency, people only',
    articles            Int64 COMMENT 'pieces',
    articles_people     Int64 COMMENT 'pieces, people only'
)
AS SELECT
    t.delivery_id AS delivery_id, t.currency AS currency, t.day AS day, t.site AS site,
    sum(t.n) AS transactions, sumIf(t.n, t.class != 'machine') AS transactions_people,
    sum(t.amount) AS amount, sumIf(t.amount, t.class != 'machine') AS amount_people,
    sum(t.articles) AS articles, sumIf(t.articles, t.class != 'machine') AS articles_people
FROM {database}.transactions AS t
WHERE t.delivery_id NOT IN (SELECT delivery_id FROM {database}.deletions FINAL WHERE state != 'restored')
GROUP BY t.delivery_id, t.currency, t.day, t.site
HAVING transactions != 0
COMMENT 'Money. Grain: one row per delivery, currency, day and site. Read: never across currencies.'
