"""Django's admin, read-only, for staff who want to see rows."""
