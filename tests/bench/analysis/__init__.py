"""How fast the analysis is, beside what one would write without it."""
