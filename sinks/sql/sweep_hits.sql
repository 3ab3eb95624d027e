-- Whether recipients' hits are there whose events are not kept any more.
SELECT count() FROM recipient_activity WHERE event_time < now64(3) - toIntervalDay({days:UInt32})
    AND (delivery_id, event_id) NOT IN
    (SELECT delivery_id, event_id FROM events WHERE event_time < now64(3) - toIntervalDay({days:UInt32}))
