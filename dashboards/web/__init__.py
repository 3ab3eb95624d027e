"""The report pages and the report API."""
