"""Celery entrances: each finds its row and calls one operation."""
