-- site: what happened on sites, by page, source, attribution and currency. One row per `dim` and value, `top` at most each.
-- A visit (web or transaction hit) is due to the last click before it, of the same person or message, no more than `days`
-- days older; to nothing where there is none. since, until: UTC milliseconds, the latter not in it. site: '' = any.
-- people = 1: human or unknown; 0: machines too, of visits and clicks. deliveries: only visits due to them, empty = any.
-- everybody = 0: only visits due to deliveries registered for `accounts`.
-- by: what a source is: delivery or campaign of the last click, else the referrer; or referrer always.
--   dim            total, page, source, attribution, currency, sale (source and currency)
--   kind, name     of the source: delivery (key) or campaign, referrer (host), site (from the site itself), direct;
--                  of a page its address without what follows ?; attribution: named (to the delivery that the visit
--                  names), other (to another one), unclicked (it names one, nobody clicked in time), none
--   currency       of currency and sale; amount: minor units of it;  articles: pieces
--   visits, visitors (persons), transactions, buyers (persons with a transaction);  values: how many rows the dim has
WITH
    fromUnixTimestamp64Milli({since:Int64}, 'UTC') AS begin,
    fromUnixTimestamp64Milli({until:Int64}, 'UTC') AS stop,
    visits AS
    (
        SELECT delivery_id, message_id, event_id, person, event_time, kind = 'transaction' AS bought, site,
            cutQueryStringAndFragment(page) AS page, referrer, currency, amount, articles
        FROM events
        WHERE kind IN ('web', 'transaction') AND hit = 1 AND event_time >= begin AND event_time < stop
            AND ({people:UInt8} = 0 OR class != 'machine') AND ({site:String} = '' OR site = {site:String})
        GROUP BY ALL
        HAVING sum(sign) > 0
    ),
    clicks AS
    (
        SELECT delivery_id, message_id, event_id, person, event_time
        FROM events
        WHERE kind = 'click' AND hit = 1 AND event_time >= begin - toIntervalDay({days:Int64}) AND event_time < stop
            AND ({people:UInt8} = 0 OR class != 'machine')
            AND (person IN (SELECT person FROM visits)
                OR (delivery_id, message_id) IN (SELECT delivery_id, message_id FROM visits WHERE delivery_id != 0 OR message_id != 0))
        GROUP BY ALL
        HAVING sum(sign) > 0
    ),
    seen AS (SELECT delivery_id FROM deliveries FINAL WHERE account IN {accounts:Array(String)}),
    due AS
    (
        SELECT v.delivery_id AS delivery_id, v.event_id AS event_id, v.person AS person, v.event_time AS event_time,
            v.bought AS bought, v.site AS site, v.page AS page, v.referrer AS referrer, v.currency AS currency,
            v.amount AS amount, v.articles AS articles, greatest(p.event_time, m.event_time) AS clicked,
            clicked >= v.event_time - toIntervalDay({days:Int64}) AND toUnixTimestamp64Milli(clicked) > 0 AS attributed,
            if(attributed, if(m.event_time > p.event_time, v.delivery_id, p.clicked_delivery), 0) AS due_to
        FROM visits AS v
        ASOF LEFT JOIN
        (
            SELECT person, event_time, argMax(delivery_id, event_id) AS clicked_delivery FROM clicks GROUP BY person, event_time
        ) AS p ON p.person = v.person AND v.event_time >= p.event_time
        ASOF LEFT JOIN (SELECT DISTINCT delivery_id, message_id, event_time FROM clicks) AS m
            ON m.delivery_id = v.delivery_id AND m.message_id = v.message_id AND v.event_time >= m.event_time
        WHERE (empty({deliveries:Array(UInt64)}) OR (attributed AND due_to IN {deliveries:Array(UInt64)}))
            AND ({everybody:UInt8} = 1 OR (attributed AND due_to IN seen))
    )
SELECT told.1 AS dim, told.2 AS kind, told.3 AS name, told.4 AS currency, count() AS visits, uniqExact(person) AS visitors,
    countIf(bought) AS transactions, uniqExactIf(person, bought) AS buyers,
    sumIf(v.amount, v.bought) AS amount, sumIf(toInt64(v.articles), v.bought) AS articles, count() OVER (PARTITION BY told.1) AS values
FROM
(
    SELECT d.*,
        multiIf({by:String} != 'referrer' AND attributed, {by:String}, referrer = '', 'direct',
                domainWithoutWWW(referrer) = replaceRegexpOne(site, '^www[.]', ''), 'site', 'referrer') AS source_kind,
        multiIf(source_kind = 'delivery', toString(due_to), source_kind = 'campaign', toString(r.campaign),
                source_kind = 'referrer', if(domainWithoutWWW(referrer) = '', referrer, domainWithoutWWW(referrer)), '') AS source_name,
        multiIf(attributed AND due_to = delivery_id, 'named', attributed, 'other', delivery_id != 0, 'unclicked', 'none') AS attribution
    FROM due AS d
    LEFT JOIN (SELECT delivery_id AS registered, campaign FROM deliveries FINAL) AS r ON r.registered = d.due_to
) AS v
ARRAY JOIN arrayConcat(
    [('total', '', '', ''), ('page', '', v.page, ''), ('source', v.source_kind, v.source_name, ''), ('attribution', '', v.attribution, '')],
    if(v.bought, [('currency', '', '', toString(v.currency)), ('sale', v.source_kind, v.source_name, toString(v.currency))], [])) AS told
GROUP BY told
ORDER BY dim, visits DESC, kind, name, currency
LIMIT {top:UInt64} BY dim
