-- relabelled: what re-labelling changed: events that were judged more than once, as first judged and as judged now.
-- One row per day of the last re-label on the reader's calendar (zone: IANA name), both judgements, rule version and run.
--   day            of the last re-label
--   from_class, from_hit, from_reasons   as first judged;  to_class, to_hit, to_reasons, ruleset, run: as judged now
--   events
SELECT toDate(judged_at, {zone:String}) AS day, from_class, from_hit, from_reasons, to_class, to_hit, to_reasons, ruleset, run,
    count() AS events
FROM
(
    SELECT event_id, max(log_time) AS judged_at, argMax(history, rev)[1] AS first,
        transform(toInt8(tupleElement(first, 'class')), [1, 2, 3], ['human', 'machine', 'unknown'], '') AS from_class,
        tupleElement(first, 'hit') AS from_hit, tupleElement(first, 'reasons') AS from_reasons,
        toString(argMax(class, rev)) AS to_class, argMax(hit, rev) AS to_hit, toString(argMax(reasons, rev)) AS to_reasons,
        toString(argMax(events.ruleset, rev)) AS ruleset, toString(argMax(events.run, rev)) AS run
    FROM events
    PREWHERE delivery_id IN {deliveries:Array(UInt64)} AND rev > 0 AND sign = 1
    GROUP BY delivery_id, event_id
)
GROUP BY day, from_class, from_hit, from_reasons, to_class, to_hit, to_reasons, ruleset, run
ORDER BY day, events DESC, from_class, to_class, from_reasons, to_reasons, ruleset, run
