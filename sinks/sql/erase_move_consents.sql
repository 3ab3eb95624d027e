-- What a recipient said under the pseudonym; the rows under the key are deleted next.
INSERT INTO consents (recipient_key, purpose, time, state, account, recipient_name, received)
SELECT {pseudonym:UInt64}, purpose, time, state, account, '', received
FROM consents WHERE recipient_key = {recipient:UInt64}
