"""File to layer and back. Every file enters through `read`."""
