-- recipient_names: what any feed event calls some recipients; their keys hold the account, so no other one's is met.
SELECT recipient_key, max(recipient_name) AS recipient
FROM message_state
WHERE recipient_key IN {recipients:Array(UInt64)} AND recipient_name != ''
GROUP BY recipient_key
