"""Ground seen from above: the second front door."""
