"""The demo: real messages, real requests to the edge, a ledger that is compared with ClickHouse row by row."""
