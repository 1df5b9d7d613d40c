"""A study as files: the tables, study.json, and what a bundle holds besides; each is a name and its bytes."""

import hashlib
import json
from pathlib import Path
from typing import Any

from studies.analysis.preregistration import FILE as REGISTERED
from studies.assistant import prompts
from studies.baselines import queries as baselines
from studies.baselines.models import OTHER_MODEL, BaselineRun
from studies.baselines.totals import totals_of
from studies.reports import frames, queries
from studies.reports.about import about
from studies.reports.bank_answers import bank_answers
from studies.reports.codebook import dictionary
from studies.reports.csv_text import csv_bytes
from studies.reports.events import event_heads, events
from studies.reports.messages import messages
from studies.reports.registration import registered
from studies.reports.source import Source

Files = dict[str, bytes]


def table_files(source: Source, *, with_text: bool = False) -> Files:
    """What the analysis reads: data/*.csv, study.json, and the preregistration where one was locked."""
    tables = frames.tables(source)
    if with_text:
        tables["messages"] = messages(source)
    locked = registered(source.study)
    return {
        "study.json": json_bytes(about(source)),
        **({REGISTERED: locked.content.encode()} if locked else {}),
        **{f"data/{name}.csv": csv_bytes(table) for name, table in tables.items()},
    }


def bundle_files(source: Source, *, with_text: bool = False) -> Files:
    """Everything in a bundle, with the checksums of all of it."""
    data = {**table_files(source, with_text=with_text), "data/events.csv": csv_bytes(events(source))}
    study = source.study
    banks = baselines.finished(study, BaselineRun.Scope.BANK)
    if banks.protocols:
        data["data/bank_answers.csv"] = csv_bytes(bank_answers(banks))
    names = [Path(name).stem for name in data if name.startswith("data/")]
    files = {
        **data,
        **_prompt_files(),
        "README.txt": (Path(__file__).parent / "bundle_readme.txt").read_bytes(),
        "baselines.json": json_bytes([*_baselines(source.runs), *_baselines(banks)]),
        "deviations.json": json_bytes(study.deviations),
        "dictionary.json": json_bytes(dictionary(names)),
        "event_heads.csv": csv_bytes(event_heads(source)),
        "spec.json": json_bytes(study.spec),
        "sums.json": json_bytes(queries.sums(study).as_json() | {"problems": queries.sums_hold(study)}),
        "study.toml": study.spec_text.encode(),
    }
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))
    return {**files, "SHA256SUMS": sums.encode()}


def json_bytes(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _prompt_files() -> Files:
    """The shipped prompt texts, by version: `prompt_hash` in the tables is their sha256 without the last newline."""
    folder = Path(prompts.__file__).parent
    return {f"prompts/{path.name}": path.read_bytes() for path in sorted(folder.glob("*.txt"))}


def _baselines(runs: baselines.Baselines) -> list[dict[str, Any]]:
    return [_baseline(name, run, is_primary=run == runs.primary) for name, run in sorted(runs.protocols.items())]


def _baseline(name: str, run: BaselineRun, *, is_primary: bool) -> dict[str, Any]:
    used = totals_of(run)
    return {
        "protocol": name,
        "scope": run.scope,
        "assistant": None if OTHER_MODEL in run.details else run.assistant.name,
        "backend": None if OTHER_MODEL in run.details else run.assistant.backend,
        "model": run.model,
        "revision": run.revision,
        "dtype": run.dtype,
        "prompt_version": run.prompt_version,
        "prompt_hash": run.prompt_hash,
        "prompts": run.details.get("prompts", {}),
        "answers": run.answers.count(),
        "samples": run.details.get("samples", 1),
        "tokens": {"prompt": used.prompt_tokens, "completion": used.completion_tokens},
        "dollars": used.dollars,
        "retries": used.retries,
        "is_primary": is_primary and run.scope == run.Scope.STUDY,
        "imported": run.details.get("imported"),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
    }
