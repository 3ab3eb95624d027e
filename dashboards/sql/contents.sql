-- contents: the message of a delivery as its template has it. One row per part there is.
--   part           html or text
--   content        its text
SELECT toString(part) AS part, content
FROM delivery_contents FINAL
WHERE delivery_id = {delivery:UInt64} AND content != ''
