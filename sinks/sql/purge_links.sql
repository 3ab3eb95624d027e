-- The links of some deliveries, for their records in tracking.deliveries.
SELECT DISTINCT delivery_id, url_id FROM delivery_urls WHERE delivery_id IN {deliveries:Array(UInt64)}
