"""What a study's tables say: accuracy, contrasts, calibration, votes and reliance, with their uncertainty.

Plain Python: no Django, usable from a notebook and as `python -m studies.analysis INPUT --out DIR`.
"""
