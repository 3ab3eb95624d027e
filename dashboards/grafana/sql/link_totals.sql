-- link_totals: clicks of the chosen deliveries in the cut. One row.
--   clicks, links (with clicks), unregistered: clicks on links that are not registered
SELECT sum(u.clicks) AS clicks, countIf(u.registered = 1) AS links, sumIf(u.clicks, u.registered = 0) AS unregistered
FROM ({sql:urls}) AS u
