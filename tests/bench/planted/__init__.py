"""Studies with a known effect, taken by bots through the whole server: what the analysis makes of them."""
