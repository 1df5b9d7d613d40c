"""How people use advice, and what they would answer as a crowd."""

from dataclasses import replace

from studies.analysis import plot_reliance
from studies.analysis.blocks import How, Pictures, Section, Table
from studies.analysis.canvas import Picture
from studies.analysis.estimate import Estimate
from studies.analysis.plot_reliance import Place
from studies.analysis.present import bare, between, count, percent
from studies.analysis.results import Results
from studies.analysis.schema import HUMAN_MODEL
from studies.analysis.sections.words import CLUSTERED, PEOPLE, VOTING, WORDS, of_people

RELIANCE = {
    "rel.agreement": "Answered what the model advised",
    "rel.agreement_when_wrong": "… when it was wrong (over-reliance)",
    "rel.disagreement_when_right": "Answered otherwise when it was right (under-reliance)",
    "rel.accuracy_when_right": "Right when the model was right",
    "rel.accuracy_when_wrong": "Right when the model was wrong",
    "rel.rair": "RAIR: mended a wrong first answer on right advice",
    "rel.rsr": "RSR: kept a right first answer against wrong advice",
    "rel.under_reliance": "Under-reliance: 1 − RAIR",
    "rel.over_reliance": "Over-reliance: 1 − RSR",
    "rel.switch": "Switched to advice that differed from the first answer",
    "rel.change": "Changed the first answer",
    "rel.beneficial": "Wrong first, right finally",
    "rel.harmful": "Right first, wrong finally",
}
CAPTION = (
    "The higher and the further left, the better people tell right advice from wrong; on the dashed line they do not."
    " People alone did not see the advice: they show how often one agrees by knowing, or by erring alike."
)
RULES = {
    "vote.pool": "Weighted vote of the paper",
    "vote.pool.draw": "… ties drawn",
    "vote.majority": "Majority",
    "vote.majority.draw": "… ties drawn",
    "vote.weighted_sum": "Sum of confidences",
}


def reliance(results: Results) -> Section | None:
    """None where nothing is known about advice."""
    found = {id: of_people(results, id) for id in RELIANCE}
    known = {id: cells for id, cells in found.items() if any(cell.estimate is not None for cell in cells)}
    if not known:
        return None
    deference = results.find("acc.deference", HUMAN_MODEL)
    sentences = (
        [f"Had everyone simply taken the model's answer, {percent(deference.estimate)} would have been right."]
        if deference and deference.estimate is not None
        else []
    )
    rows = [
        (RELIANCE[id], *(t for c in reversed(cells) for t in (bare(c.estimate), between(c), count(c.n_trials or None))))
        for id, cells in known.items()
    ]
    table = Table(
        "Reliance, %",
        ("", "%", "95 % interval", "n", "%", "95 % interval", "n"),
        rows,
        groups=(("", 1), ("Human + model", 3), ("Alone: model not seen", 3)),
        note="Advice is what the person's assistant argued for, else the answer of the model alone. n: such trials.",
    )
    title = "Reliance: do people follow good advice and refuse bad?"
    drawn = [Pictures(pictures, CAPTION)] if (pictures := _planes(results)) else []
    return Section("reliance", title, sentences, (*drawn, table, How(list(known), (CLUSTERED,))))


def _planes(results: Results) -> list[Picture]:
    """Agreement with right against wrong advice; where first answers were asked, RAIR against RSR beside it."""
    places = [
        Place(WORDS[condition], condition, wrong, _rest(right))
        for condition, wrong, right in zip(
            PEOPLE,
            of_people(results, "rel.agreement_when_wrong"),
            of_people(results, "rel.disagreement_when_right"),
            strict=True,
        )
        if wrong.estimate is not None and right.estimate is not None
    ]
    rair, rsr = (of_people(results, id)[-1] for id in ("rel.rair", "rel.rsr"))
    pictures = [plot_reliance.agreement(places)] if places else []
    if rair.estimate is not None and rsr.estimate is not None:
        pictures.append(plot_reliance.appropriateness([Place(WORDS[HUMAN_MODEL], HUMAN_MODEL, rair, rsr)]))
    return pictures


def _rest(found: Estimate) -> Estimate:
    """1 minus a share, with its interval."""
    share, low, high = (None if value is None else 1 - value for value in (found.estimate, found.high, found.low))
    return replace(found, estimate=share, low=low, high=high)


def votes(results: Results) -> Section | None:
    """None where there is nothing to vote on."""
    found = {id: of_people(results, id) for id in RULES}
    if all(cell.estimate is None for cells in found.values() for cell in cells):
        return None
    rows = [
        (RULES[id], *(t for cell in cells for t in (bare(cell.estimate), between(cell)))) for id, cells in found.items()
    ]
    crowd = next(cell.method for cell in found["vote.majority"] if cell.method).partition(", ")[2]
    table = Table(
        "If the people of a condition vote on each question, right answers in %",
        ("", "%", "95 % interval", "%", "95 % interval"),
        rows,
        groups=(("", 1), ("Human alone", 2), ("Human + model", 2)),
        note=f"Intervals over questions, {crowd}: larger crowds are right more often. T options tied for best earn 1/T;"
        " a draw between them, with a fixed seed, stands beside.",
    )
    return Section("votes", "The crowd's vote", (), (table, How(tuple(RULES), (VOTING,))))
