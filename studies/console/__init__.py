"""The experimenter's pages."""
