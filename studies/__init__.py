"""Oversight: one Django app, cut into packages that own their models."""
