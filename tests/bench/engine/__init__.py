"""`make bench-engine`: our batching beside transformers' own ways, our scoring beside lm-evaluation-harness."""
