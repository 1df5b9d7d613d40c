"""Simulated participants: they take whole sessions through the real pages and the real socket of a running server."""
