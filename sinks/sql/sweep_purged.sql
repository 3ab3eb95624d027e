-- Whether purged events are counted that the audit does not know any more.
SELECT count() FROM purged_events WHERE counted < now64(3) - toIntervalDay({days:UInt32})
