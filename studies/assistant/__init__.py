"""Assistants: plain Python behind one small interface, usable without Django.

`types` says what an assistant is, `registry` makes one from a configuration; `scripted`, `openai_compatible` and
`engine` are the assistants; `prompts` keeps the prompt texts and their versions; `answers` reads an option out of text.
"""
