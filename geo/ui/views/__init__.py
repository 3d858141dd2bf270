"""One module per page, thin over ``workspace``."""
