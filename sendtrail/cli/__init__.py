r"""The \`sendtrail\` command."""
