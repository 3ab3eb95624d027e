-- Erasures that were asked for, the latest first.
SELECT erasure_id, recipient_key, account, recipient_name, pseudonym, fingerprint, asked, began, done, asked_by, detail
FROM erasures FINAL
ORDER BY asked DESC, erasure_id
