-- Ask for an erasure; does nothing where one of the recipient waits already.
INSERT INTO erasures (erasure_id, recipient_key, account, recipient_name, asked_by, asked, updated)
SELECT {erasure_id:UUID}, {recipient:UInt64}, {account:String}, {name:String}, {asked_by:String}, now64(3), now64(3)
WHERE {recipient:UInt64} NOT IN (SELECT recipient_key FROM erasures FINAL WHERE isNull(done))
