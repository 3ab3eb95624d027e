-- who: the messages behind a count, in the order of delivery and message. One row per message.
-- people = 1: human or unknown; 0: machines too. from, upto: the range of message keys looked at, both ends in it.
-- which: opened, clicked (at least `clicks` click hits), opened-not-clicked, neither (no hit that proves an open, of the
-- messages that make `success`), opted-out, or of the feed: sent, delivered, deferred, bounced, bounced-hard,
-- bounced-soft, rejected, complained, unsubscribed. Seeds and proofs are in none.
-- by_link = 1: only clicks on `link` (a label, URL or url id, '' = any) and in `category` ('' = any) are clicks.
-- unfed: deliveries of whose messages the feed says nothing but that they were prepared.
--   delivery, message: keys;  state: as in message_state;  opens, clicks: hits in the cut;  matches: rows before the limit
SELECT delivery_id AS delivery, message_id AS message, state, opened AS opens, if({by_link:UInt8} = 1, wanted, clicked) AS clicks,
    count() OVER () AS matches
FROM
(
    SELECT delivery_id, message_id, max(from_feed) AS stated, max(seed) AS seeded,
        bitAnd(bitShiftRight(max(last), 4), 15) AS state, groupBitOr(kinds) AS fed_kinds,
        sum(seen) AS proven, sum(open) AS opened, sum(click) AS clicked, sum(done) AS confirmed, sum(linked) AS wanted
    FROM
    (
        SELECT delivery_id, message_id, 1 AS from_feed, seed, last, kinds, 0 AS seen, 0 AS open, 0 AS click, 0 AS done, 0 AS linked
        FROM message_state
        WHERE delivery_id IN {deliveries:Array(UInt64)} AND message_id BETWEEN {from:UInt64} AND {upto:UInt64}
        UNION ALL
        SELECT delivery_id, message_id, 0, 0, 0, 0,
            if({people:UInt8} = 1, seen_p, seen), if({people:UInt8} = 1, open_p, open),
            if({people:UInt8} = 1, click_p, click), if({people:UInt8} = 1, optout_done_p, optout_done), 0
        FROM message_activity
        WHERE delivery_id IN {deliveries:Array(UInt64)} AND message_id BETWEEN {from:UInt64} AND {upto:UInt64}
        UNION ALL
        SELECT delivery_id, message_id, 0, 0, 0, 0, 0, 0, 0, 0, sign
        FROM events
        WHERE {by_link:UInt8} = 1 AND kind = 'click' AND hit = 1 AND ({people:UInt8} = 0 OR class != 'machine')
            AND delivery_id IN {deliveries:Array(UInt64)} AND message_id BETWEEN {from:UInt64} AND {upto:UInt64}
            AND ({link:String} = '' OR toString(url_id) = {link:String} OR (delivery_id, url_id) IN
            (
                SELECT delivery_id, url_id FROM delivery_urls FINAL
                WHERE delivery_id IN {deliveries:Array(UInt64)} AND (label = {link:String} OR url = {link:String})
            ))
            AND ({category:String} = '' OR (delivery_id, url_id) IN
            (
                SELECT delivery_id, url_id FROM delivery_urls FINAL
                WHERE delivery_id IN {deliveries:Array(UInt64)} AND category = {category:String}
            ))
    )
    GROUP BY delivery_id, message_id
)
WHERE multiIf(
    {which:String} = 'opened', proven > 0,
    {which:String} = 'clicked', clicks >= {clicks:Int64},
    {which:String} = 'opened-not-clicked', proven > 0 AND clicked <= 0,
    {which:String} = 'opted-out', confirmed > 0,
    stated = 0 OR seeded > 0, {which:String} = 'unsubscribed' AND seeded = 0 AND confirmed > 0,
    {which:String} = 'neither', proven <= 0 AND (state IN (1, 6) OR has({unfed:Array(UInt64)}, delivery_id)),
    {which:String} = 'sent', state = 1,
    {which:String} = 'deferred', state = 2,
    {which:String} = 'bounced', state IN (3, 4),
    {which:String} = 'bounced-soft', state = 3,
    {which:String} = 'bounced-hard', state = 4,
    {which:String} = 'rejected', state = 5,
    {which:String} = 'delivered', state = 6,
    {which:String} = 'complained', bitTest(fed_kinds, 5),
    {which:String} = 'unsubscribed', bitTest(fed_kinds, 7) OR confirmed > 0,
    false)
ORDER BY if({sort:String} = 'clicks', clicks, 0) DESC, delivery, message
LIMIT {limit:UInt64} OFFSET {offset:UInt64}
