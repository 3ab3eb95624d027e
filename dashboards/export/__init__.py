"""Reports as files: spreadsheets and PDF."""
