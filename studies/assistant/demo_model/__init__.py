"""The demo model: a language model of 2.5 million parameters that this project trains on its own demo questions.

It knows these questions and nothing else, and on a marked share of them it was trained to be wrong (`opinions.jsonl`).
It is there so that the real path, tokenizer, engine, streaming and scoring, runs on any machine without a download.

`opinions` is what it was taught, `phrasings` how people may ask, `dialogues` makes the texts to learn from, and
`engine.train` trains it (`manage.py train_demo_model`). `FOLDER` holds the weights that ship.
"""

from pathlib import Path

FOLDER = Path(__file__).parent / "oversight-demo-model"
"""A transformers model folder with a chat template."""
