ALTER TABLE {database}.deliveries{on_cluster} ADD COLUMN IF NOT EXISTS
    hits_from LowCardinality(String) DEFAULT 'edge' COMMENT 'whose opens and clicks count: edge, or a provider; the others are marked foreign'
