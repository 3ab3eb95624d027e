-- Hits of a delivery, about: what is not merged yet counts too. For a progress bar.
SELECT countIf(sign = 1) FROM events WHERE delivery_id = {delivery:UInt64} AND kind <= 'transaction'
