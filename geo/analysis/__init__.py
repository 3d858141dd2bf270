"""Pure science: one idea per file, no file ever opened."""
