-- How a recipient is called, by key and pseudonym, whoever told it.
SELECT DISTINCT recipient_name FROM message_state WHERE recipient_key IN {recipients:Array(UInt64)} AND recipient_name != ''
UNION DISTINCT
SELECT DISTINCT recipient_name FROM consents WHERE recipient_key IN {recipients:Array(UInt64)} AND recipient_name != ''
