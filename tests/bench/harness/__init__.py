"""`make bench-harness`: the same random model and questions by our protocols and by lm-evaluation-harness itself."""
