"""Rows to tables to bundle; stored analysis runs."""
