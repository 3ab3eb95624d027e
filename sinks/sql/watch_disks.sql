-- The disks of the server. One row each: name, free and total bytes.
SELECT name, free_space, total_space FROM system.disks WHERE type IN ('Local', 'local')
