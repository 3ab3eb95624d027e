-- link_names: whether deliveries have a link of that name, or of that category. One row per link, a hundred at most.
-- link: a label, URL or url id, '' = any; category: '' = any. Links that are not registered count by their id.
SELECT url_id
FROM
(
    SELECT url_id, label, url, toString(category) AS named_category
    FROM delivery_urls FINAL
    WHERE delivery_id IN {deliveries:Array(UInt64)}
    UNION ALL
    SELECT url_id, '', '', ''
    FROM url_activity
    WHERE delivery_id IN {deliveries:Array(UInt64)} AND kind = 'click'
)
WHERE ({link:String} = '' OR toString(url_id) = {link:String} OR label = {link:String} OR url = {link:String})
    AND ({category:String} = '' OR named_category = {category:String})
GROUP BY url_id
LIMIT 100
