-- log_count: how many events query logs has with the same filters before its limit. One row.
--   events         as last judged
SELECT sum(toInt64(sign)) AS events
FROM events
WHERE delivery_id IN {deliveries:Array(UInt64)} AND toInt8(kind) < 10
    AND (hit = 1 OR {uncounted:UInt8} = 1) AND (class != 'machine' OR {people:UInt8} = 0)
    AND (empty({kinds:Array(String)}) OR has({kinds:Array(String)}, toString(kind)))
    AND (empty({classes:Array(String)}) OR has({classes:Array(String)}, toString(class)))
    AND ({link:String} = '' OR positionCaseInsensitiveUTF8(destination, {link:String}) > 0 OR (delivery_id, url_id) IN
    (
        SELECT delivery_id, url_id FROM delivery_urls FINAL
        WHERE delivery_id IN {deliveries:Array(UInt64)}
            AND positionCaseInsensitiveUTF8(concat(label, '\n', url), {link:String}) > 0
    ))
