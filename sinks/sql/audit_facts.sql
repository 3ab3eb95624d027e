-- One row: the oldest minute of the audit that is one (0 = none), and since when these tables are there (seconds since 1970).
SELECT
    (SELECT minIf(m, m > 0) FROM audit ARRAY JOIN minute AS m) AS oldest_minute,
    (SELECT toUnixTimestamp(min(applied)) FROM migrations) AS since
