"""hits and feeds -> spool -> tracking.events."""
