-- Columns as in: recipient_activity.
CREATE OR REPLACE VIEW {database}.v_recipient_activity{on_cluster}
(
    recipient_key  UInt64,
    event_time     DateTime64(3, 'UTC'),
    delivery_id    UInt64,
    delivery_name  String COMMENT 'as the registry calls the delivery; empty = not registered',
    delivery_label String COMMENT 'of the delivery, for people',
    event_id       String COMMENT 'as on the wire: 32 hexadecimal digits, as in v_events',
    kind           Enum8('open' = 1, 'click' = 2, 'optout' = 3, 'mirror' = 4, 'web' = 5, 'transaction' = 6),
    message_id     UInt64
)
AS SELECT
    r.recipient_key AS recipient_key, r.event_time AS event_time, r.delivery_id AS delivery_id, d.name AS delivery_name,
    d.label AS delivery_label, lower(hex(r.event_id)) AS event_id, r.kind AS kind, r.message_id AS message_id
FROM
(
    SELECT * FROM {database}.recipient_activity FINAL
    WHERE delivery_id NOT IN (SELECT delivery_id FROM {database}.deletions FINAL WHERE state != 'restored')
) AS r
LEFT JOIN (SELECT delivery_id, name, label FROM {database}.deliveries FINAL) AS d ON d.delivery_id = r.delivery_id
COMMENT 'Where a recipient''s hits are, all stored ones (repeats, seeds and machines too). Grain: one row per event. Read: filter by recipient_key; how each is judged is in v_events, by delivery_id and event_id.'
