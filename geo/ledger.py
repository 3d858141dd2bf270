"""The hash chain over everything that was recorded."""
