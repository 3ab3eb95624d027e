CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.message_activity_mv{on_cluster} TO {database}.message_activity AS
SELECT
    delivery_id, message_id, recipient_key,
    sign AS hits,
    sign * (class != 'machine') AS hits_p,
    sign * (how != 'one_click') AS seen,
    sign * (how != 'one_click' AND class != 'machine') AS seen_p,
    sign * (kind = 'open') AS open,
    sign * (kind = 'open' AND class != 'machine') AS open_p,
    sign * (kind = 'click') AS click,
    sign * (kind = 'click' AND class != 'machine') AS click_p,
    sign * (how = 'view') AS optout_view,
    sign * (how = 'view' AND class != 'machine') AS optout_view_p,
    sign * (how IN ('form', 'one_click')) AS optout_done,
    sign * (how IN ('form', 'one_click') AND class != 'machine') AS optout_done_p,
    sign * (kind = 'mirror') AS mirror,
    sign * (kind = 'mirror' AND class != 'machine') AS mirror_p,
    sign * (kind = 'web') AS web,
    sign * (kind = 'web' AND class != 'machine') AS web_p,
    sign * (kind = 'transaction') AS transaction,
    sign * (kind = 'transaction' AND class != 'machine') AS transaction_p
FROM {database}.events
WHERE hit = 1
COMMENT 'Feeds message_activity from every insert into events.'
