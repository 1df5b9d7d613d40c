"""The engine's numbers in Prometheus' form, over HTTP, as they move."""

from __future__ import annotations

import re

import httpx


def numbers(url: str) -> dict[str, float]:
    answer = httpx.get(f"{url}/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"oversight_engine_[a-z_]+ [0-9.e+]+", line) for line in lines)
    return {name.removeprefix("oversight_engine_"): float(value) for name, value in (line.split() for line in lines)}


def test_requests_are_counted_and_what_was_read_ahead_is_reused(engine_url: str) -> None:
    before = numbers(engine_url)
    assert before["up"] == 1
    story = "The metrics of a quiet harbour are counted at dawn. " * 5
    turns = [{"role": "user", "content": story}]
    assert httpx.post(f"{engine_url}/v1/warm", json={"messages": turns}, timeout=30).json() == {"status": "ok"}
    asked = [{"role": "user", "content": f"{story}Why?"}]
    body = {"messages": asked, "max_tokens": 7, "temperature": 0}
    httpx.post(f"{engine_url}/v1/chat/completions", json=body, timeout=30).raise_for_status()
    after = numbers(engine_url)
    assert after["written_tokens_total"] - before["written_tokens_total"] == 7
    assert after["replies_total"] - before["replies_total"] == 1
    assert after["reused_tokens_total"] - before["reused_tokens_total"] >= 128
    assert after["stored_tokens"] <= after["stored_budget"]
    assert (after["running"], after["waiting"]) == (0, 0)


def test_what_cannot_be_read_ahead_is_refused_with_words(engine_url: str) -> None:
    refused = httpx.post(f"{engine_url}/v1/warm", json={"messages": []})
    assert refused.status_code == 400
    assert "messages" in refused.json()["error"]["message"]
