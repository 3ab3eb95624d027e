-- relabels_by_class: events of the chosen deliveries that were judged again. One row per class before and after.
--   events         whose present row is a re-label; those that kept their class changed reasons or repeat mark
SELECT ['', 'human', 'machine', 'unknown'][history[-1].class + 1] AS before, toString(class) AS after,
    count() AS events, max(event_time) AS newest
FROM events FINAL
WHERE delivery_id IN {deliveries:Array(UInt64)} AND rev > 0 AND notEmpty(history)
    AND $__timeFilter(event_time)
GROUP BY before, after
ORDER BY events DESC, before, after
