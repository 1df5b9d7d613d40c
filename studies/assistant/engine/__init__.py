"""The engine: a transformers causal LM in its own process, OpenAI-compatible on loopback. The only home of torch.

`loader` loads or refuses a model, `encode` turns conversations into tokens, in threads of `encoder`. `lines` decides
who serves them: our own batching where `supports` finds it exact, else transformers' where `transformers_trial` does,
else one at a time.

Many at once: `batcher` is the loop, `admit` decides who gets a seat, `seats` are the requests in theirs, `cache` holds
what was read, `step` runs the model over all of them with the attention of `attention`, `choose` picks the tokens.
With transformers' own batching: `transformers_batching`, on what `paged` sets up; it scores with `score`.
One at a time, for the other models: `one_at_a_time`, with `decode`, `reply` and `score`. All three stand in `line`.

`text` turns tokens into text, `sizes` fits the cache into memory, `backend` is the asynchronous face, and `server`,
`wire` (with `fields`), `metrics` and `serve` put that on a port.
"""
