"""The engine: a transformers causal LM in its own process, OpenAI-compatible on loopback. The only home of torch.

`loader` loads or refuses a model, `encode` turns conversations into tokens, `decode` and `score` are the two things
that a model is used for, `batcher` decides whose turn it is, `backend` is its asynchronous face, `server` and `serve`
put that on a port.
"""
