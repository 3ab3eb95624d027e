-- From now on loaders give what arrives the pseudonym.
INSERT INTO erasures (erasure_id, recipient_key, account, recipient_name, asked_by, asked, pseudonym, fingerprint, began, updated)
SELECT erasure_id, recipient_key, account, recipient_name, asked_by, asked, {pseudonym:UInt64}, {fingerprint:UInt16},
    coalesce(began, now64(3)), now64(3)
FROM erasures FINAL
WHERE erasure_id = {erasure_id:UUID}
