"""Question banks: what is asked, and the importers that read it."""
