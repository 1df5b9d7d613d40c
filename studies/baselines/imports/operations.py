"""An import from start to end: read the files, match them, and keep one finished run, all of it or nothing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from studies.baselines.imports import inspect_log, lm_eval
from studies.baselines.imports.answered import Answered, BadFile
from studies.baselines.imports.matching import Matched, match
from studies.baselines.items import manifest
from studies.baselines.models import OTHER_MODEL, BaselineAnswer, BaselineRun
from studies.design.models import Assistant, Study

PREFIX = "imported:"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
LONGEST = 40 - len(PREFIX)


class CannotImport(ValueError):
    """These results cannot be imported; the text names the value, what is allowed and what to do."""


@dataclass(frozen=True)
class Origin:
    """Whose results these are, and how to read them.

    `assistant`: the study's assistant that gave them; None for a model that is none of them, which `model` names.
    Beside an assistant `model` may be empty: then it is what the files say. `filter_name`, `scorer`: which of several
    filters (lm_eval) or scores (Inspect AI) of a reply counts.
    """

    protocol: str
    assistant: str | None = None
    model: str = ""
    filter_name: str = ""
    scorer: str = ""


def matched(*, study: Study, paths: Sequence[Path], origin: Origin) -> Matched:
    """Read and match; writes nothing. Raises BadFile, CannotImport."""
    if not NAME.fullmatch(origin.protocol) or len(origin.protocol) > LONGEST:
        raise CannotImport(
            f"protocol {origin.protocol!r}: use lower-case letters, digits, '.', '_' and '-', at most {LONGEST}."
        )
    _assistant(study, origin)
    questions = manifest(study)
    if not questions:
        raise CannotImport(f"study {study.name!r} has no questions in its manifest; create it from a study file first.")
    return match(questions, _read(paths, origin))


def keep(
    *,
    study: Study,
    paths: Sequence[Path],
    origin: Origin,
    found: Matched,
    again: bool,
    allow_missing: bool,
    now: datetime,
) -> BaselineRun:
    """One finished run with the matched answers, its `details` with the report. Raises CannotImport.

    Refused where questions of the study lack an answer, unless `allow_missing`; where nothing matched; and where the
    study has such a run already, unless `again`: then the newer one is what the tables take.
    """
    if not found.answers:
        raise CannotImport("no answer in these files is about a question of the study; nothing was imported.")
    if found.missing and not allow_missing:
        raise CannotImport(
            f"{len(found.missing)} of {len(manifest(study))} questions of the study have no answer in these files; "
            "--allow-missing imports the others. Nothing was imported."
        )
    assistant = _assistant(study, origin)
    models = sorted({each.model for each in found.answers.values() if each.model})
    model = origin.model or ", ".join(models)
    name = f"{PREFIX}{origin.protocol}"
    other = {OTHER_MODEL: origin.model} if origin.assistant is None else {}
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)  # two imports at once make one run, not two
        same = BaselineRun.objects.filter(study=study, assistant=assistant, protocol=name)
        before = [run for run in same if run.details.get(OTHER_MODEL) == other.get(OTHER_MODEL)]
        if before and not again:
            raise CannotImport(
                f"protocol {name!r}: run {before[-1].pk} has it already; use --again, or another --protocol."
            )
        run = BaselineRun.objects.create(
            study=study,
            assistant=assistant,
            protocol=name,
            model=model,
            details={"samples": found.samples, "imported": _report(paths, found), **other},
            created_at=now,
            finished_at=now,
        )
        BaselineAnswer.objects.bulk_create(
            BaselineAnswer(
                run=run,
                question_id=question_id,
                sample=sample,
                option=each.option,
                probabilities=each.probabilities,
                raw=each.raw,
                answered_at=now,
            )
            for (question_id, sample), each in found.answers.items()
        )
    return run


def _read(paths: Sequence[Path], origin: Origin) -> Iterator[Answered]:
    for path in paths:
        if not path.is_file():
            raise BadFile(path.name, "file", str(path), "no such file")
        if path.suffix == ".jsonl":
            yield from lm_eval.read(path, filter_name=origin.filter_name)
        elif path.suffix == ".json":
            yield from inspect_log.read(path, scorer=origin.scorer)
        else:
            allowed = "samples_*.jsonl of lm-evaluation-harness, or a .json log of Inspect AI"
            hint = " (inspect log convert --to json)" if path.suffix == ".eval" else ""
            raise BadFile(path.name, "file", path.suffix, f"{allowed}{hint}")


def _report(paths: Sequence[Path], found: Matched) -> dict[str, Any]:
    """Counts and files, as the run keeps them."""
    return {
        "files": [{"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()} for path in paths],
        "matched": found.questions,
        "not_matched": len(found.unmatched),
        "asked_twice": len(found.repeated),
        "failed": len(found.failed),
        "other_key": len(found.other_key),
        "missing": len(found.missing),
        "is_complete": not found.missing,
    }


def _assistant(study: Study, origin: Origin) -> Assistant:
    """Who gave the answers. A run must name an assistant: for another model it is the study's first, and it says so."""
    if origin.assistant is None and not origin.model:
        raise CannotImport("whose results are these? Use --assistant for one of the study's, or --model for another.")
    every = study.assistants.order_by("pk")
    found = every.first() if origin.assistant is None else every.filter(name=origin.assistant).first()
    if found is None:
        names = ", ".join(study.assistants.order_by("name").values_list("name", flat=True)) or "none"
        raise CannotImport(f"assistant {origin.assistant or ''!r}: study {study.name!r} has {names}.")
    return found
