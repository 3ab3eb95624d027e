-- percent_table: time until a percentage of the hits so far (report query percents). One row per percentage; milliseconds.
SELECT p.percent AS percent, maxIf(p.elapsed_ms, p.kind = 'open') AS opens, maxIf(p.elapsed_ms, p.kind = 'click') AS clicks
FROM ({sql:percents}) AS p
GROUP BY percent
ORDER BY percent
