"""The contract of Sendtrail: events, links, packs and topics that every stage agrees on."""
