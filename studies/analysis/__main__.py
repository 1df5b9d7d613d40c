"""`python -m studies.analysis INPUT --out DIR`: read a study's tables, compute everything, write results and report.

`python -m studies.analysis bundle.zip --check` checks a bundle: its checksums, its event log, its sums, and whether
its derived tables come out the same, byte for byte, when they are computed again.
"""

import argparse
import csv
import gc
import io
import sys
from dataclasses import replace
from pathlib import Path

from studies.analysis import check_log, code, rebuild, sums, table1
from studies.analysis.analyse import analyse
from studies.analysis.data import Data, read
from studies.analysis.errors import InputError
from studies.analysis.formulas import defuse
from studies.analysis.parquet import to_parquet
from studies.analysis.present import between, p_value, percent, points
from studies.analysis.registry import REGISTRY
from studies.analysis.results import Results, to_json
from studies.analysis.schema import HUMAN, HUMAN_MODEL, MODEL, RESULTS
from studies.analysis.study import ALLOWED

BROKEN, REFUSED = 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Returns 0, 2 when the input is refused (the reasons are on standard error), 1 when a checked bundle is broken."""
    gc.disable()  # nothing here makes cycles worth collecting, and looking for them takes a twentieth of the time
    try:
        return _run(arguments)
    finally:
        gc.enable()


def _run(arguments: list[str] | None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.out is None and not options.check:
        parser.error("--out DIR is needed, or --check")
    try:
        if options.check:
            return _check(options.input)
        data = read(options.input)
    except InputError as error:
        print(f"The input was refused.\n{error}", file=sys.stderr)
        return REFUSED
    if options.primary:
        data = replace(data, study=replace(data.study, primary=options.primary))
    results = analyse(data, is_quick=options.quick)
    written = write(data, results, options.out, has_report=not options.tables_only)
    print(summary(data, results))
    print("\nWritten:\n" + "\n".join(f"  {path}" for path in written))
    return 0


def _check(source: Path) -> int:
    """Everything is checked and told, whatever is found first."""
    changed = rebuild.checksums(source)
    print(f"Files do NOT agree with {rebuild.SUMS}: {'; '.join(changed)}" if changed else "Every checksum agrees.")
    is_broken = bool(changed)
    if check_log.is_release(source):
        print("An anonymised release: it has no event log.")
    else:
        report = check_log.check(source)
        print(report)
        is_broken |= bool(report.problems)
    wrong = sums.check(source)
    print(f"The sums do NOT hold: {'; '.join(wrong)}" if wrong else "Both sums hold.")
    rebuilt = rebuild.rebuild(source, tables_of)
    print(rebuilt)
    return BROKEN if is_broken or wrong or rebuilt.problems else 0


def write(data: Data, results: Results, out: Path, *, has_report: bool = True) -> list[Path]:
    """Write results.csv, results.json, table1.csv and the forms of the report with its plots; return their paths."""
    files: dict[str, bytes] = {name: text.encode() for name, text in tables_of(data, results).items()}
    files["results.parquet"] = to_parquet(RESULTS, results.to_rows())
    if has_report:
        # Drawing is the larger half of the imports: tables alone do without.
        from studies.analysis.report import PLOTS, render

        report = render(data, results)
        files |= {
            "report.html": report.page.encode(),
            "report.fragment.html": report.fragment.encode(),
            "report.md": report.markdown.encode(),
            "tables.tex": report.tables.encode(),
        }
        for name, picture in report.pictures.items():
            files[f"{PLOTS}/{name}.svg"] = picture.svg.encode()
            if not results.is_quick:
                files[f"{PLOTS}/{name}.png"] = picture.png()
    for name, content in files.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)
    return [out / name for name in files]


def tables_of(data: Data, results: Results) -> dict[str, str]:
    """The derived tables, by file name: what a bundle's check makes again."""
    return {
        "results.csv": results.to_csv(),
        "results.json": to_json(_as_json(data, results)),
        "table1.csv": _table1_csv(data, results),
    }


def summary(data: Data, results: Results) -> str:
    """A few lines of text: accuracies and the three contrasts."""
    primary = f"diff.hm_minus_human.{data.study.primary}"
    lines = [data.study.title or data.source, ""]
    if data.study.is_simulated:
        lines[1:1] = ["Simulated participants: bots, not people."]
    for condition in (HUMAN, HUMAN_MODEL, MODEL):
        found = results.find("acc.micro", condition)
        if found:
            lines.append(f"{condition:<24}{percent(found.estimate):>9}   {between(found):<18} n {found.n_trials}")
    for label, id, condition, baseline in (
        ("human+model - human", primary, HUMAN_MODEL, HUMAN),
        ("human+model - model", "diff.hm_minus_model", HUMAN_MODEL, MODEL),
        ("human - model", "diff.human_minus_model", HUMAN, MODEL),
    ):
        found = results.find(id, condition, baseline=baseline)
        if found and found.estimate is not None:
            interval = between(found, kind="points")
            lines.append(f"{label:<24}{points(found.estimate):>9}   {interval:<18} p {p_value(found.p)}")
        elif found:
            lines.append(f"{label:<24}{'-':>9}   {found.reason}")
    return "\n".join(lines)


def _as_json(data: Data, results: Results) -> dict[str, object]:
    study = data.study
    return {
        "study": {
            "title": study.title,
            "simulated": study.is_simulated,
            "primary": study.primary,
            "subjects": study.subjects,
            "baseline_protocol": data.primary_protocol,
            "looks": list(study.looks),
            "margin": study.margin,
        },
        "quick": results.is_quick,
        "code": code.digest(),
        "source": {"name": data.source, "sha256": data.sha256},
        "headline": {"timeouts": "wrong", "exclusions": results.exclusions, "population": "random", "subset": "all"},
        "definitions": {d.id: {"title": d.title, "definition": d.definition} for d in REGISTRY},
        "results": results.to_rows(),
    }


def _table1_csv(data: Data, results: Results) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, table1.COLUMNS, lineterminator="\n")
    writer.writeheader()
    for record in table1.as_records(table1.tables(data, results)):
        writer.writerow({name: _cell(value) for name, value in record.items()})
    return out.getvalue()


def _cell(value: object) -> object:
    """As results.csv has them: floats alike on every machine, nothing like a formula."""
    if isinstance(value, float):
        return f"{value:.12g}"
    return "" if value is None else defuse(value) if isinstance(value, str) else value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m studies.analysis", description=__doc__)
    parser.add_argument("input", type=Path, help="a bundle (.zip), a directory that holds trials.csv, or a trials.csv")
    parser.add_argument("--out", type=Path, help="directory for results and report; made if absent")
    parser.add_argument("--check", action="store_true", help="check a bundle instead; 1: broken")
    parser.add_argument("--primary", choices=ALLOWED["primary"], help="form of the primary contrast; else study.json's")
    parser.add_argument("--quick", action="store_true", help="without mixed models, randomisation tests, PNG")
    parser.add_argument("--tables-only", action="store_true", help="write no report")
    return parser


if __name__ == "__main__":
    sys.exit(main())
