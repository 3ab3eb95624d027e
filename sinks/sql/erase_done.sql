-- Carried out: key and name go from the list, too.
INSERT INTO erasures (erasure_id, recipient_key, account, recipient_name, asked_by, asked, pseudonym, fingerprint, began, done, detail, updated)
SELECT erasure_id, 0, account, '', asked_by, asked, pseudonym, fingerprint, began, now64(3), {detail:String}, now64(3)
FROM erasures FINAL
WHERE erasure_id = {erasure_id:UUID}
