"""tracking.events -> tracking.enriched."""
