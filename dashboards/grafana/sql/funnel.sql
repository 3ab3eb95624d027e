-- funnel: messages of the chosen deliveries that came so far (report query base_stored). One row of five figures.
SELECT sum(d.success) AS `sent`, sum(d.delivered) AS `delivered`, sum(d.recipient_open) AS `opened`,
    sum(d.recipient_click) AS `clicked`, sum(d.unsubscribed) AS `unsubscribed`
FROM
(
    SELECT *, if(b.fed > 0, b.sent + b.delivered, coalesce(b.registered_success, b.registered_to_deliver, b.messages)) AS success
    FROM ({sql:base_stored}) AS b
) AS d
