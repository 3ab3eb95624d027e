-- Columns as in: deliveries.
CREATE OR REPLACE VIEW {database}.v_deliveries{on_cluster}
(
    delivery_id  UInt64,
    registered   UInt8 COMMENT '1 = the sender has said something about it; else only events are known, texts are empty and figures NULL',
    account      LowCardinality(String),
    name         String,
    label        String,
    code         String,
    campaign     LowCardinality(String),
    channel      LowCardinality(String),
    type         LowCardinality(String),
    category     LowCardinality(String),
    tags         Array(LowCardinality(String)),
    sender       LowCardinality(String),
    subject      String,
    contact_date Nullable(DateTime64(3, 'UTC')),
    status       LowCardinality(String),
    targeted     Nullable(UInt64),
    excluded     Map(String, UInt64),
    to_deliver   Nullable(UInt64),
    success      Nullable(UInt64),
    track_until  Nullable(DateTime64(3, 'UTC')),
    hits_from    LowCardinality(String),
    updated      Nullable(DateTime64(3, 'UTC')) COMMENT 'when the sender last said something about it; NULL = never',
    touched      Nullable(DateTime64(3, 'UTC')) COMMENT 'when it last got events; NULL = never'
)
AS SELECT
    k.delivery_id AS delivery_id, k.told AS registered, d.account AS account, d.name AS name, d.label AS label,
    d.code AS code, d.campaign AS campaign, d.channel AS channel, d.type AS type, d.category AS category, d.tags AS tags,
    d.sender AS sender, d.subject AS subject, d.contact_date AS contact_date, d.status AS status, d.targeted AS targeted,
    d.excluded AS excluded, d.to_deliver AS to_deliver, d.success AS success, d.track_until AS track_until,
    if(k.told, d.hits_from, 'edge') AS hits_from,
    if(k.told, d.updated, NULL) AS updated, k.touched AS touched
FROM
(
    SELECT delivery_id, max(told) AS told, max(touched) AS touched
    FROM
    (
        SELECT delivery_id, 0 AS told, toNullable(at) AS touched FROM {database}.touched
        UNION ALL
        SELECT delivery_id, 1, NULL FROM {database}.deliveries
    )
    GROUP BY delivery_id
) AS k
LEFT JOIN (SELECT * FROM {database}.deliveries FINAL) AS d USING (delivery_id)
WHERE k.delivery_id NOT IN (SELECT delivery_id FROM {database}.deletions FINAL WHERE state != 'restored')
COMMENT 'Deliveries that are registered or have events. Grain: one row per delivery.'
