-- The erasures that hold: pseudonyms, and the fingerprints by which they are looked for.
SELECT pseudonym, fingerprint FROM erasures FINAL WHERE isNotNull(began)
