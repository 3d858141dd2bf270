"""Layer to disk and back, with its ledger."""
