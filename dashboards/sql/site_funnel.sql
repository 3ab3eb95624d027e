-- site_funnel: how far visitors came through named steps. One row per number of steps reached that occurs.
-- A visit (web or transaction hit) is due to the last click before it, of the same person or message, no more than `days`
-- days older; to nothing where there is none. since, until: UTC milliseconds, the latter not in it. site: '' = any.
-- people = 1: human or unknown; 0: machines too, of visits and clicks. deliveries: only visits due to them, empty = any.
-- everybody = 0: only visits due to deliveries registered for `accounts`.
-- steps: regular expressions of pages, in order; a step is reached by a visit after the one that reached the step before,
-- whose address without what follows ?, or whose path, it matches. A transaction after or at the last step ends it.
--   reached        steps; 0 = only visited, one more than there are steps = bought
--   visitors       persons who came so far and no further
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
SELECT reached, count() AS visitors
FROM
(
    SELECT arrayFold(
        (done, visit) -> if(done > length({steps:Array(String)}), done,
            done
            + (done < length({steps:Array(String)}) AND (match(visit.3, {steps:Array(String)}[done + 1]) OR match(path(visit.3), {steps:Array(String)}[done + 1])))
            + (visit.4 AND done
                + (done < length({steps:Array(String)}) AND (match(visit.3, {steps:Array(String)}[done + 1]) OR match(path(visit.3), {steps:Array(String)}[done + 1])))
                = length({steps:Array(String)}))),
        arraySort(groupArray((event_time, event_id, page, bought))), toInt64(0)) AS reached
    FROM due
    GROUP BY person
)
GROUP BY reached
ORDER BY reached
