-- What a recipient said, for the records in tracking.consents.
SELECT DISTINCT purpose, toString(state), toUnixTimestamp64Milli(time) FROM consents WHERE recipient_key = {recipient:UInt64}
