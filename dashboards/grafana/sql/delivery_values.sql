-- delivery_values: deliveries of account and channel for the variable, newest first. One row each: value (the key, in
-- decimal), name.
SELECT toString(k.delivery_id) AS value,
    multiIf(d.label != '', d.label, d.name != '', d.name, toString(k.delivery_id)) AS name
FROM ({sql:chosen_any}) AS k
LEFT JOIN (SELECT delivery_id, label, name, contact_date FROM deliveries FINAL) AS d ON d.delivery_id = k.delivery_id
ORDER BY d.contact_date DESC NULLS LAST, k.delivery_id DESC
LIMIT 500
