-- How many of some deliveries still wait for their indicators.
SELECT count() FROM indicators_due WHERE delivery_id IN {deliveries:Array(UInt64)}
