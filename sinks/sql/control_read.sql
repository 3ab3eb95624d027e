-- What tools ask and what loaders answer, rows past their time left out.
SELECT name, member, value
FROM control FINAL
WHERE expires > now64(3)
ORDER BY name, member
