-- Segments that do not add up: those whose events arrived in another number than they were accepted, those whose
-- totals never came, those after which the next one's header disagrees, and those before which others are missing.
-- accepted: of the segment's totals, -1 without them; parts: of the totals, `came` of them are there; arrived: distinct
-- events in loaded packs; previous: what this one's header says of the one before; said: what the next one's header
-- says of this one, -1 where there is no next; step: from the sequence before; before_minute: the last of that one.
WITH by_segment AS
(
    SELECT
        spool, segment, anyIf(JSONExtractString(totals, 'edge'), totals != '') AS own_edge,
        if(countIf(totals != '') = 0, -1, maxIf(JSONExtractInt(totals, 'events'), totals != '')) AS accepted,
        if(countIf(totals != '') = 0, -1, maxIf(JSONExtractInt(totals, 'previous'), totals != '')) AS previous,
        uniqExactIf(JSONExtractInt(totals, 'part'), totals != '') AS came,
        maxIf(if(JSONHas(totals, 'parts'), JSONExtractInt(totals, 'parts'), 1), totals != '') AS parts,
        toInt64(sum(arraySum(events_in)) - sum(arraySum(resent))) AS arrived, sum(arraySum(relabels)) AS relabelled,
        minIf(arrayMin(minute), notEmpty(minute)) AS first_minute, maxIf(arrayMax(minute), notEmpty(minute)) AS last_minute,
        toUnixTimestamp(max(log_time)) AS seen
    FROM audit
    WHERE spool != '' AND log_time >= toDateTime64({log_since:UInt64}, 3, 'UTC')
      AND (src_topic != {topic:String} OR src_offset < {loaded:Array(UInt64)}[src_partition + 1])
    GROUP BY spool, segment
),
in_order AS
(
    SELECT
        *, max(own_edge) OVER (PARTITION BY spool) AS edge,
        leadInFrame(previous, 1, -1) OVER following AS next_said,
        -- A tool's segment of re-labels alone: its header counts them, its totals don't.
        if(accepted = 0 AND next_said <= relabelled, least(next_said, 0), next_said) AS said,
        toInt64(segment) - lagInFrame(toInt64(segment), 1, if({log_since:UInt64} = 0, -1, toInt64(segment) - 1)) OVER following
            AS step,
        lagInFrame(last_minute, 1, 0) OVER following AS before_minute
    FROM by_segment
    WINDOW following AS (PARTITION BY spool ORDER BY segment ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
)
SELECT
    toString(spool), segment, edge, accepted, parts = came AS whole, arrived, previous, said, step, first_minute,
    last_minute, before_minute, seen
FROM in_order
WHERE accepted != arrived OR step != 1 OR (said >= 0 AND accepted >= 0 AND said != accepted) OR parts != came
ORDER BY spool, segment
LIMIT {limit:UInt32}
