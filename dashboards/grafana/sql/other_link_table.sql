-- other_link_table: opt-out and mirror hits in the cut, which are no clicks (report query other_links). One row per link.
SELECT o.kind AS kind, o.how AS how, multiIf(o.label != '', o.label, o.url != '', o.url, 'not registered') AS link, o.n AS hits
FROM ({sql:other_links}) AS o
