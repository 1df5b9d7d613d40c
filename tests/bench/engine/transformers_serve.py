"""`transformers serve` with continuous batching, as a process of its own and over HTTP: the nearest ready server."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from tests.bench.engine.ways import BATCH_TOKENS, NEW_TOKENS, Taken

START_SECONDS = 120
BLOCK = 64  # tokens


def transformers_serve(
    folder: Path, story: str, cold: Sequence[str], warm: Sequence[str], *, tokens: int, device: str, threads: int
) -> tuple[Taken, Taken]:
    """All of `cold` at once, then all of `warm`; CPU seconds are the server's own, waiting is the client's.

    `tokens`: how many one conversation takes, with its reply.
    """
    blocks = 64 + (tokens // BLOCK + 6) * len(cold)
    with _serving(folder, blocks=blocks, device=device, threads=threads) as (url, process):
        asyncio.run(_asked(url, process, folder, "Hello.", ["Hello."]))  # the model is loaded with the first request
        return tuple(asyncio.run(_asked(url, process, folder, story, asked)) for asked in (cold, warm))  # type: ignore[return-value]


async def _asked(url: str, process: psutil.Process, folder: Path, story: str, questions: Sequence[str]) -> Taken:
    before, started = _cpu(process), time.perf_counter()

    async def one(http: httpx.AsyncClient, question: str) -> float:
        turns = [{"role": "system", "content": story}, {"role": "user", "content": question}]
        body = {"model": str(folder), "messages": turns, "max_tokens": NEW_TOKENS, "temperature": 0, "stream": True}
        first = 0.0
        async with http.stream("POST", f"{url}/v1/chat/completions", json=body) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    chunk = json.loads(line.removeprefix("data: "))
                    if "error" in chunk:
                        raise RuntimeError(f"transformers serve: {chunk['error']}")
                    if not first and any(choice["delta"].get("content") for choice in chunk["choices"]):
                        first = time.perf_counter() - started
        if not first:
            raise RuntimeError("transformers serve sent no text")
        return first

    async with httpx.AsyncClient(timeout=900, trust_env=False) as http:
        firsts = await asyncio.gather(*(one(http, question) for question in questions))
    return Taken(_cpu(process) - before, time.perf_counter() - started, list(firsts))


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def _serving(folder: Path, *, blocks: int, device: str, threads: int) -> Iterator[tuple[str, psutil.Process]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).parent / "transformers"), "serve", "--continuous-batching"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", device, "--attn-implementation", "sdpa"]
    command += [
        "--cb-block-size",
        str(BLOCK),
        "--cb-num-blocks",
        str(blocks),
        "--cb-max-batch-tokens",
        str(BATCH_TOKENS[device]),
    ]
    cache = folder.parent / "hub"  # its list of models fails where there is no such folder
    cache.mkdir(exist_ok=True)
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(cache), "OMP_NUM_THREADS": str(threads)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        url, limit = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
        try:
            while time.monotonic() < limit and process.poll() is None:
                try:
                    httpx.get(f"{url}/health", trust_env=False).raise_for_status()
                    break
                except httpx.TransportError:
                    time.sleep(0.3)
            else:
                said = process.stdout.read().decode()[-2000:] if process.stdout and process.poll() is not None else ""
                raise RuntimeError(f"transformers serve did not start:\n{said}")
            yield url, psutil.Process(process.pid)
        finally:
            process.kill()
