"""Webhooks of mail providers: what each sends, checked and read. One file each, pure but for the fetching of SNS."""
