-- domain_numbers: base numbers of the chosen deliveries together by e-mail domain (report query domains). One row per
-- domain of the variable, then Others and Unknown.
SELECT n.domain AS domain, sum(n.messages) AS messages, sum(n.sent) + sum(n.delivered) AS success,
    sum(n.bounced_hard) AS bounced_hard, sum(n.bounced_soft) AS bounced_soft,
    sum(n.recipient_open) AS opened, opened / nullIf(success, 0) AS open_rate,
    sum(n.recipient_click) AS clicked, clicked / nullIf(success, 0) AS click_rate,
    sum(n.unsubscribed) AS unsubscribed, sum(n.complained) AS complained
FROM ({sql:domains}) AS n
GROUP BY domain
ORDER BY domain IN ('Others', 'Unknown'), messages DESC, domain
