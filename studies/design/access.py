"""How others reach studies: by name, by join code, and the specification behind a row."""

from __future__ import annotations

from studies.design.frozen import StudyChanged, require_specification
from studies.design.models import Study, StudyQuestion
from studies.design.spec import Spec
from studies.design.spec_json import spec_from_json

__all__ = [
    "NotFound", "Spec", "Study", "StudyChanged", "spec_of", "studies_by_bank", "study_by_join_code", "study_by_name",
    "study_by_reference", "versions_of",
]  # fmt: skip

_specs: dict[str, Spec] = {}  # by hash, so that an entry can never be stale


class NotFound(LookupError):
    """There is no such study; the text says what there is."""

    code = "not_found"


def study_by_name(name: str, version: int | None = None) -> Study:
    """The newest version of a study, or the one asked for. Raises NotFound with the names or versions that exist."""
    versions = Study.objects.filter(name=name).order_by("-version")
    study = versions.first() if version is None else versions.filter(version=version).first()
    if study is not None:
        return study
    if version is not None and versions.exists():
        there = ", ".join(str(number) for number in sorted(versions.values_list("version", flat=True)))
        raise NotFound(f"study {name!r} has no version {version}; there is {there}.")
    names = ", ".join(Study.objects.order_by("name").values_list("name", flat=True).distinct())
    raise NotFound(f"no study is called {name!r}; {f'there is {names}' if names else 'make one with create_study'}.")


def study_by_reference(text: str) -> Study:
    """`NAME`, or `NAME@2` for that version. Raises NotFound."""
    name, at, version = text.partition("@")
    if at and not (version.isascii() and version.isdigit() and len(version) < 10):
        raise NotFound(f"{text!r}: use NAME, or NAME@2 for its version 2.")
    return study_by_name(name, int(version) if at else None)


def versions_of(study: Study) -> list[Study]:
    """All versions of that name, the newest first, without their specifications."""
    return list(Study.objects.filter(name=study.name).defer("spec", "spec_text").order_by("-version"))


def studies_by_bank() -> dict[str, list[tuple[str, int]]]:
    """Which studies have questions of each bank: bank name → (study name, version), newest first. One query."""
    used = StudyQuestion.objects.values_list("question__bank__name", "study__name", "study__version", "study")
    found: dict[str, list[tuple[str, int]]] = {}
    for bank, name, version, _ in used.order_by("-study").distinct():
        found.setdefault(bank, []).append((name, version))
    return found


def study_by_join_code(code: str) -> Study:
    """The study that a link leads to. Raises NotFound, which tells nothing about other studies."""
    study = Study.objects.filter(join_code=code).first() if code and "\x00" not in code else None
    if study is None:
        raise NotFound("no study has this link.")
    return study


def spec_of(study: Study) -> Spec:
    """The study's specification, kept by its hash. Raises StudyChanged when row and hash do not agree."""
    spec = _specs.get(study.spec_hash)
    if spec is None:
        require_specification(study)
        spec = _specs[study.spec_hash] = spec_from_json(study.spec)
    return spec
