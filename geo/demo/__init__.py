"""The made-up county and its hidden truth."""
