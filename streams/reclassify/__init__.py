"""events -> relabel events: stored hits judged again by other rules, for `sendtrail reclassify` (DESIGN §6)."""
