"""Coverage is shown, not claimed: simulated studies, and how often the intervals hold the truth."""
