"""`make bench-engine`: our batching beside transformers' own ways, with the same model, story and questions."""
