CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.person_activity_mv{on_cluster} TO {database}.person_activity AS
SELECT
    delivery_id, person,
    sign * (kind = 'click') AS click,
    sign * (kind = 'click' AND class != 'machine') AS click_p,
    sign * (kind IN ('web', 'transaction')) AS web,
    sign * (kind IN ('web', 'transaction') AND class != 'machine') AS web_p
FROM {database}.events
WHERE hit = 1 AND kind IN ('click', 'web', 'transaction')
COMMENT 'Feeds person_activity from every insert into events.'
