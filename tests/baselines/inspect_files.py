"""Logs as Inspect AI writes them in JSON (fields of its EvalLog, EvalSample, Score and Logprobs), small."""

import json
from pathlib import Path
from typing import Any

LETTERS = "ABCD"


def sample(text: str, options: list[str], answer: str | None, *, target: str = "A", **more: Any) -> dict[str, Any]:
    number = more.pop("epoch", 1)
    return {
        "id": text,
        "epoch": number,
        "input": text,
        "choices": options,
        "target": target,
        "messages": [],
        "output": {"model": "mockllm/model", "choices": [], "completion": f"ANSWER: {answer}"},
        "scores": {"choice": {"value": "C" if answer == target else "I", "answer": answer, "explanation": ""}},
        "metadata": {},
    } | more


def logprobs(*letters: tuple[str, float], before: tuple[str, ...] = ("ANSWER", ":")) -> dict[str, Any]:
    """An output whose last token is the first of `letters`, with all of them among the top ones."""
    said = [{"token": token, "logprob": -0.1, "top_logprobs": []} for token in before]
    top = [{"token": letter, "logprob": value} for letter, value in letters]
    last = {"token": letters[0][0], "logprob": letters[0][1], "top_logprobs": top}
    return {"model": "mockllm/model", "choices": [{"logprobs": {"content": [*said, last]}}]}


def write(path: Path, samples: list[dict[str, Any]], **more: Any) -> Path:
    log = {"version": 2, "status": "success", "eval": {"task": "mmlu", "model": "mockllm/model"}, "samples": samples}
    path.write_text(json.dumps(log | more), encoding="utf-8")
    return path
