"""One module for each group of console pages."""
