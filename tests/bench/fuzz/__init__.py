"""Hostile and broken clients beside honest ones, against a real server: `make fuzz FUZZ="--seed 3 --count 50000"`."""
