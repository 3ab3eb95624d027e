-- link_table: clicks by link, label, category or position (report query urls), most first. One row per item, unregistered
-- links together. share: of all clicks.
SELECT multiIf(u.registered = 0, 'links not registered', u.item = '', '(none)',
        {by:String} != 'position', u.item,
        u.item = '0', 'not known',
        toUInt32OrZero(u.item) > 32768, concat('text ', toString(toUInt32OrZero(u.item) - 32768)), concat('HTML ', u.item)) AS link,
    u.url AS url, u.category AS category, u.clicks AS clicks, u.clicks / sum(u.clicks) OVER () AS share
FROM ({sql:urls}) AS u
ORDER BY u.registered DESC, clicks DESC, link
LIMIT {limit:UInt64}
