"""Results to bytes: one file per report."""
