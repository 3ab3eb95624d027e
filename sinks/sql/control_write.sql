-- One word of a tool or of a loader; it is void after lease_ms.
INSERT INTO control (name, member, value, expires, updated)
SELECT {name:String}, {member:String}, {value:String}, now64(3) + toIntervalMillisecond({lease_ms:UInt64}), now64(6)
