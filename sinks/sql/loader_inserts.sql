-- Inserts of loaders that run now, by their token; a loader that died may have left one behind.
SELECT count()
FROM system.processes
WHERE match(Settings['insert_deduplication_token'], {token:String}) AND current_database = {database:String}
