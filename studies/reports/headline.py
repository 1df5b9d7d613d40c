"""The headline of a stored analysis as lines of text: three accuracies, three contrasts, as its report has them."""

from typing import Any

HUMAN, HUMAN_MODEL, MODEL = "human", "human+model", "model"
Row = dict[str, Any]


def lines(results: dict[str, Any]) -> list[str]:
    """`results` is what results.json holds. A figure that is not defined is a dash with its reason."""
    study, versions = results["study"], results["headline"]
    rows = [row for row in results["results"] if all(row[name] == value for name, value in versions.items())]
    accuracies = [(name, _find(rows, "acc.micro", name, None)) for name in (HUMAN, HUMAN_MODEL, MODEL)]
    contrasts = [
        (
            f"{HUMAN_MODEL} − {HUMAN}",
            _find(rows, f"diff.hm_minus_human.{study['primary']}", HUMAN_MODEL, HUMAN),
        ),
        (f"{HUMAN_MODEL} − {MODEL}", _find(rows, "diff.hm_minus_model", HUMAN_MODEL, MODEL)),
        (f"{HUMAN} − {MODEL}", _find(rows, "diff.human_minus_model", HUMAN, MODEL)),
    ]
    told = ["Simulated participants: bots, not people."] if study["simulated"] else []
    told += [_line(name, row, "") for name, row in accuracies if row is not None]
    told += [_line(name, row, "+") for name, row in contrasts if row is not None]
    return told


def _find(rows: list[Row], id: str, condition: str, baseline: str | None) -> Row | None:
    """The figure over all arms; of the model, by the primary protocol."""
    wanted = {"id": id, "condition": condition, "baseline": baseline, "arm": None}
    return next((row for row in rows if all(row[name] == value for name, value in wanted.items())), None)


def _line(name: str, row: Row, sign: str) -> str:
    if row["estimate"] is None:
        return f"{name:<20} {'–':>7}   {row['reason'] or ''}".rstrip()
    unit = "points" if sign else "%"
    words = f"{name:<20} {_percent(row['estimate'], sign):>7} {unit:<6}"
    if row["low"] is not None and row["high"] is not None:
        words += f"   95 % interval {_percent(row['low'], sign)} to {_percent(row['high'], sign)}"
    p = row["p_adj"] if row["p_adj"] is not None else row["p"]
    if sign and p is not None:
        words += f", p {'< .001' if p < 0.001 else f'= {p:.3f}'}{' after Holm' if row['p_adj'] is not None else ''}"
    return f"{words}   n {row['n_trials']:.0f}"


def _percent(share: float, sign: str) -> str:
    return f"{100 * share:{sign}.1f}".replace("-", "−")
