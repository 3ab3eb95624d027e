-- Segments that do not add up: those whose events arrived in another number than they were accepted, those whose
-- totals never came, and those after which the next one's header disagrees.
-- accepted: of the segment's totals, -1 without them; arrived: distinct events in loaded packs; said: what the next
-- segment's header says of this one, -1 where there is no next.
WITH by_segment AS
(
    SELECT
        spool,
        segment,
        anyIf(JSONExtractString(totals, 'edge'), totals != '') AS edge,
        if(countIf(totals != '') = 0, -1, maxIf(JSONExtractInt(totals, 'events'), totals != '')) AS accepted,
        if(countIf(totals != '') = 0, -1, maxIf(JSONExtractInt(totals, 'previous'), totals != '')) AS previous,
        toInt64(sum(arraySum(events_in)) - sum(arraySum(resent))) AS arrived
    FROM audit
    WHERE spool != '' AND (src_topic != {topic:String} OR src_offset < {loaded:Array(UInt64)}[src_partition + 1])
    GROUP BY spool, segment
),
in_order AS
(
    SELECT
        *,
        leadInFrame(previous, 1, -1) OVER following AS said,
        toInt64(segment) - lagInFrame(toInt64(segment), 1, -1) OVER following AS step
    FROM by_segment
    WINDOW following AS (PARTITION BY spool ORDER BY segment ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
)
SELECT spool, segment, edge, accepted, arrived, said, step
FROM in_order
WHERE accepted != arrived OR step != 1 OR (said >= 0 AND accepted >= 0 AND said != accepted)
ORDER BY spool, segment
LIMIT {limit:UInt32}
