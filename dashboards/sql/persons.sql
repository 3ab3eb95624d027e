-- persons: how many persons clicked in at least one of the deliveries (their union). One row.
--   person_click     persons with a click hit in the cut (people = 1: human or unknown; 0: machines too)
SELECT count() AS person_click
FROM
(
    SELECT person
    FROM person_activity
    WHERE delivery_id IN {deliveries:Array(UInt64)}
    GROUP BY person
    HAVING sum(if({people:UInt8} = 1, click_p, click)) > 0
)
