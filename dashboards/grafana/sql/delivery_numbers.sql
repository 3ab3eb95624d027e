-- delivery_numbers: the chosen deliveries with their base numbers (report queries registry and base_stored). One row per
-- delivery, newest first. Rates are NULL without a denominator (METRICS, Indicators).
--   key            in decimal: it has 64 bits
SELECT
    toString(b.delivery) AS key,
    multiIf(r.label != '', r.label, r.name != '', r.name, toString(b.delivery)) AS delivery,
    r.account AS account, r.channel AS channel, r.contact_date AS contact_date,
    ifNull(b.registered_to_deliver, b.messages) AS to_deliver,
    if(b.fed > 0, b.sent + b.delivered, coalesce(b.registered_success, to_deliver)) AS success,
    b.recipient_open AS opened, b.recipient_open / nullIf(success, 0) AS open_rate,
    b.recipient_click AS clicked, b.recipient_click / nullIf(success, 0) AS click_rate,
    b.recipient_click / nullIf(b.recipient_open, 0) AS reactivity,
    b.unsubscribed AS unsubscribed, b.complained AS complained,
    b.bounced_hard + b.bounced_soft AS bounced,
    (b.hits_all - b.hits_people) / nullIf(b.hits_all, 0) AS machine_share
FROM ({sql:base_stored}) AS b
LEFT JOIN ({sql:registry}) AS r ON r.delivery = b.delivery
ORDER BY r.contact_date DESC NULLS LAST, b.delivery DESC
