"""ClickHouse -> reports."""
