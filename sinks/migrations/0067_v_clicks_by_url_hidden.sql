-- Columns as in: url_activity, delivery_urls.
CREATE OR REPLACE VIEW {database}.v_clicks_by_url{on_cluster}
(
    delivery_id   UInt64,
    url_id        UInt32,
    position      UInt16,
    registered    UInt8 COMMENT '1 = the registry knows the link; else URL, label and category are empty',
    url           String,
    label         String,
    category      LowCardinality(String),
    clicks        Int64 COMMENT 'click hits',
    clicks_people Int64 COMMENT 'click hits, people only'
)
AS SELECT
    c.delivery_id AS delivery_id, c.url_id AS url_id, c.position AS position,
    u.updated > toDateTime64(0, 3, 'UTC') AS registered, u.url AS url, u.label AS label, u.category AS category,
    c.clicks AS clicks, c.clicks_people AS clicks_people
FROM
(
    SELECT a.delivery_id AS delivery_id, a.url_id AS url_id, a.position AS position, sum(a.n) AS clicks,
        sumIf(a.n, a.class != 'machine') AS clicks_people
    FROM {database}.url_activity AS a
    WHERE a.kind = 'click'
        AND a.delivery_id NOT IN (SELECT delivery_id FROM {database}.deletions FINAL WHERE state != 'restored')
    GROUP BY a.delivery_id, a.url_id, a.position
    HAVING clicks != 0
) AS c
LEFT JOIN (SELECT * FROM {database}.delivery_urls FINAL) AS u ON u.delivery_id = c.delivery_id AND u.url_id = c.url_id
COMMENT 'Click hits by link and place in the message; opt-out and mirror links are no clicks. Grain: one row per delivery, link and position. Read: sums over positions and links are the delivery''s total_click.'
