"""A sender's own mail server: its bounces, complaints and logs, read on its machine and told to the feed API."""
