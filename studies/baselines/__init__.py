"""The model alone on a study's questions."""
