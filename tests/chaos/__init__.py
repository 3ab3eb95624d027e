"""The fault harness: the whole line on three brokers, killed and frozen by a seed, with a ledger (`make chaos`)."""
