"""tracking.enriched -> ClickHouse."""
