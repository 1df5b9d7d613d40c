"""A study as files: the tables, study.json, and what a bundle holds besides; each is a name and its bytes."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from studies.analysis import paper
from studies.analysis.filenames import data_file
from studies.analysis.parquet import to_parquet
from studies.analysis.preregistration import FILE as REGISTERED
from studies.analysis.schema import INPUTS, TABLES
from studies.assistant import prompts
from studies.baselines import queries as baselines
from studies.baselines.models import OTHER_MODEL, BaselineRun
from studies.baselines.totals import totals_of
from studies.design.models import Study
from studies.reports import frames, psych_ds, queries, release
from studies.reports.about import about
from studies.reports.bank_answers import bank_answers
from studies.reports.codebook import dictionary
from studies.reports.csv_text import csv_bytes
from studies.reports.events import event_heads, events
from studies.reports.messages import messages
from studies.reports.programs import program_files
from studies.reports.registration import registered, registered_rules
from studies.reports.source import Source
from studies.reports.survey import survey, survey_items

Files = dict[str, bytes]
Tables = dict[str, pd.DataFrame]
Compute = Callable[[Study, Files], Files]


def table_files(source: Source, *, with_text: bool = False) -> Files:
    """What the analysis reads: the tables of data/, study.json, and the preregistration where one was locked."""
    tables = _inputs(source, with_text=with_text)
    return {"study.json": json_bytes(about(source)), **_preregistration(source), **_csv(tables)}


def bundle_files(source: Source, *, with_text: bool = False) -> Files:
    """What a bundle holds of a study; results (see `computed`) and checksums are added to it."""
    said = about(source)
    return {
        **paper_files(source, said),
        **described({**_inputs(source, with_text=with_text), "events": events(source)}, said),
        "README.txt": _readme("bundle_readme.txt"),
        "event_heads.csv": csv_bytes(event_heads(source)),
    }


def release_files(source: Source, *, with_text: bool = False) -> Files:
    """The same in the anonymised form (see `release`): without the event log."""
    said = release.about_release(about(source))
    key = release.key_of(source.study)
    rules = registered_rules(source.study)
    tables = release.released(_inputs(source, with_text=with_text), key=key, with_text=with_text, rules=rules)
    return {
        **paper_files(source, said),
        "baselines.json": json_bytes(release.about_baselines(_every_baseline(source))),
        **described(tables, said),
        "README.txt": _readme("release_readme.txt") + _readme("bundle_readme.txt"),
    }


def read_by_analysis(files: Files) -> Files:
    """Those of a bundle's files that the analysis reads."""
    wanted = {"study.json", REGISTERED, *(data_file(table.name) for table in INPUTS)}
    return {name: content for name, content in files.items() if name in wanted}


def paper_files(source: Source, said: dict[str, Any]) -> Files:
    """What a study is beside its data: the study file, prompts, models, counts, deviations, programs."""
    study = source.study
    return {
        **_prompt_files(),
        **program_files(),
        ".psychdsignore": psych_ds.ignore(),
        "CHANGES.txt": changes(said).encode(),
        "baselines.json": json_bytes(_every_baseline(source)),
        "deviations.json": json_bytes(study.deviations),
        "materials/spec.json": json_bytes(study.spec),
        "materials/study.toml": study.spec_text.encode(),
        "study.json": json_bytes(said),
        **_preregistration(source),
        "sums.json": json_bytes(queries.sums(study).as_json() | {"problems": queries.sums_hold(study)}),
    }


def described(tables: Tables, said: dict[str, Any]) -> Files:
    """Tables as CSV and Parquet, with the data dictionary in our form and in that of Psych-DS."""
    return {
        **_csv(tables),
        **{f"parquet/{name}.parquet": _parquet(name, table) for name, table in tables.items()},
        **{name: json_bytes(metadata) for name, metadata in psych_ds.sidecars(tables).items()},
        "dataset_description.json": json_bytes(psych_ds.description(said, tables)),
        "dictionary.json": json_bytes(dictionary(tables)),
    }


def with_sums(files: Files) -> Files:
    """The files and SHA256SUMS, which `sha256sum -c` reads."""
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))
    return {**files, "SHA256SUMS": sums.encode()}


def changes(said: dict[str, Any]) -> str:
    """CHANGES.txt: what was changed against the plan, in words; the tables themselves are never changed by hand."""
    keys = ", ".join(str(each.get("key", each)) if isinstance(each, dict) else str(each) for each in said["deviations"])
    lines = [f"{said['name']} version {said['version']}"]
    lines += [f"- set by hand when the study was created: {keys}"] if keys else []
    lines += [f"- changed after the study was launched: {change}" for change in said["changed_by_hand"]]
    return "\n".join(lines if len(lines) > 1 else [*lines, "- nothing was changed against the plan"]) + "\n"


def _readme(name: str) -> bytes:
    return (Path(__file__).parent / name).read_bytes()


def _inputs(source: Source, *, with_text: bool) -> Tables:
    """The tables that the analysis reads."""
    tables = frames.tables(source)
    banks = baselines.finished(source.study, BaselineRun.Scope.BANK)
    if banks.protocols:
        tables["bank_answers"] = bank_answers(banks)
    if source.spec.survey:
        tables |= {"survey": survey(source, with_text=with_text), "survey_items": survey_items(source)}
    if with_text:
        tables["messages"] = messages(source)
    return tables


def _preregistration(source: Source) -> Files:
    locked = registered(source.study)
    return {REGISTERED: locked.content.encode()} if locked else {}


def _csv(tables: Tables) -> Files:
    return {data_file(name): csv_bytes(table) for name, table in tables.items()}


def _parquet(name: str, table: pd.DataFrame) -> bytes:
    declared = next(each for each in TABLES if each.name == name)
    return to_parquet(declared, table.to_dict("records"))  # type: ignore[arg-type]


def json_bytes(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _prompt_files() -> Files:
    """The shipped prompt texts, by version: `prompt_hash` in the tables is their sha256 without the last newline."""
    folder = Path(prompts.__file__).parent
    return {f"materials/prompts/{path.name}": path.read_bytes() for path in sorted(folder.glob("*.txt"))}


def _every_baseline(source: Source) -> list[dict[str, Any]]:
    banks = baselines.finished(source.study, BaselineRun.Scope.BANK)
    return [*_baselines(source.runs), *_baselines(banks)]


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
        "deviations": _otherwise(name, run),
        "imported": run.details.get("imported"),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
    }


def _otherwise(name: str, run: BaselineRun) -> dict[str, dict[str, str]]:
    """What is combined from the run's samples otherwise than the paper does it, by its name in the tables."""
    found = {made: paper.otherwise(made) for made in baselines.combinations(name, run)}
    samples = run.details.get("samples")
    return {made: {"paper": other.paper, "done": other.told(samples)} for made, other in found.items() if other}
