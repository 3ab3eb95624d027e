-- summed_numbers: base numbers and rates of the chosen deliveries together (report query base_stored). One row; rates are
-- NULL without a denominator. person_click is not among them: persons are a union, see query persons.
SELECT
    sum(d.to_deliver) AS to_deliver, sum(d.success) AS success, sum(d.delivered) AS delivered,
    sum(d.bounced_hard) AS bounced_hard, sum(d.bounced_soft) AS bounced_soft,
    sum(d.recipient_open) AS opened, sum(d.recipient_click) AS clicked, sum(d.unsubscribed) AS unsubscribed,
    sum(d.complained) AS complained, sum(d.total_open) AS opens, sum(d.total_click) AS clicks,
    opened / nullIf(success, 0) AS open_rate, clicked / nullIf(success, 0) AS click_rate,
    clicked / nullIf(opened, 0) AS reactivity, unsubscribed / nullIf(success, 0) AS unsubscribe_rate,
    (sum(d.hits_all) - sum(d.hits_people)) / nullIf(sum(d.hits_all), 0) AS machine_share,
    min(d.calculated) AS calculated
FROM
(
    SELECT *, ifNull(b.registered_to_deliver, b.messages) AS to_deliver,
        if(b.fed > 0, b.sent + b.delivered, coalesce(b.registered_success, to_deliver)) AS success
    FROM ({sql:base_stored}) AS b
) AS d
