"""Measurements beside the tests: medians and ratios of one run, printed as JSON."""
