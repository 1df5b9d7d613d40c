"""Who took part: people from the start to the analysis by what they were assigned to, and missing planned trials."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from studies.analysis.blocks import Block, How, Section, Table
from studies.analysis.data import Data
from studies.analysis.estimate import Estimate
from studies.analysis.flow import (
    ABANDONED,
    ACTIVE,
    ANALYSED,
    COMPLETED,
    EXCLUDED,
    NO_TRIAL,
    SCREENED_OUT,
    WITHDRAWN,
    Flow,
    Person,
)
from studies.analysis.present import SPACE, bare, between, count, p_value, points, remarks
from studies.analysis.results import Result, Results
from studies.analysis.schema import HUMAN, HUMAN_MODEL
from studies.analysis.sections.words import CLUSTERED, name_of

IDS = ("acc.attrition", "diff.attrition")
MOST_GROUPS = 8  # columns; more lists than that are not read beside one another
ENDS = {
    COMPLETED: "finished",
    ABANDONED: "left before the end",
    WITHDRAWN: "withdrew",
    SCREENED_OUT: "screened out",
    ACTIVE: "not finished yet",
    "": "how it ended is not recorded",
}
ALWAYS = (COMPLETED, ABANDONED, WITHDRAWN)
WHY = {WITHDRAWN: "withdrew", SCREENED_OUT: "screened out", NO_TRIAL: "no trial of theirs ended"}
BY = {"arm": "By condition assigned", "list": "By list assigned"}
UNKNOWN = (
    "Who started and who left is not known: there is no participants.csv, and no assignments.csv that names people."
)
NOTE = (
    "Answers that people gave before they left are analysed; of people who withdrew nothing is. Those not analysed and"
    " those analysed add up to those who started."
)
CHECKS = (
    "People answer the check questions after the instructions, before their first question and without knowing their"
    " conditions; whoever does not have all right at the last attempt is screened out. Of people who withdrew nothing"
    " is said."
)
MISSING = (
    "Planned: trials of the slots that people took, without those of people who were screened out before the first"
    " and did not withdraw."
    " Missing: never opened, never ended, or of people who withdrew. If the conditions differ here, what is missing can"
    " bias every comparison of them."
)


def section(data: Data, results: Results) -> Section:
    """One sentence where nothing says who started."""
    flow, title = data.flow, "Who took part"
    if not flow.people:
        return Section("flow", title, (UNKNOWN,), ())
    blocks: list[Block] = [_people(flow), *_checked(flow.people)]
    sentences = [_lead(flow.people)]
    if flow.planned.reason:
        sentences.append(f"How many planned trials are missing cannot be said: {flow.planned.reason}.")
    else:
        blocks += [_attrition(data, results), How(IDS, (CLUSTERED,))]
    return Section("flow", title, sentences, blocks)


def _lead(people: tuple[Person, ...]) -> str:
    fates, states = Counter(each.fate for each in people), Counter(each.state for each in people)
    finished = f", {count(states[COMPLETED])} finished" if set(states) - {""} else ""
    return f"{count(len(people))} people started{finished}; {count(fates[ANALYSED])} are analysed."


def _people(flow: Flow) -> Table:
    """Steps as rows; people in total and by group as columns."""
    groups = flow.groups if len(flow.groups) <= MOST_GROUPS else []
    rows, strong = list[tuple[str, ...]](), set[int]()
    for name, people, is_sum in _steps(flow.people):
        if is_sum:
            strong.add(len(rows))
        of_group = Counter(person.group for person in people)
        rows.append((name, count(len(people)), *(count(of_group[group]) for group in groups)))
    note = (
        NOTE if groups or not flow.by else f"{NOTE} The {len(flow.groups)} lists of the plan are not shown one by one."
    )
    return Table(
        "From the start to the analysis",
        ("", "All", *(group or "not known" for group in groups)),
        rows,
        groups=(("", 2), (BY[flow.by], len(groups))) if groups else (),
        note=note,
        strong=frozenset(strong),
    )


def _steps(people: tuple[Person, ...]) -> Iterator[tuple[str, list[Person], bool]]:
    """Each step with its people, and whether it is a sum of those after it."""
    lost, kept = ([each for each in people if (each.fate == ANALYSED) == is_kept] for is_kept in (False, True))
    yield "Started", list(people), True
    yield from _ended(people, ALWAYS)
    yield "Not analysed", lost, True
    for why, those in sorted(_by(lost, _why_not, (WHY[WITHDRAWN], WHY[NO_TRIAL])).items()):
        yield why, those, False
    yield "Analysed", kept, True
    yield from _ended(kept, ())


def _checked(people: tuple[Person, ...]) -> Iterator[Table]:
    """At which attempt people passed the check questions; nothing for a study without."""
    tried = [person for person in people if person.check_attempts]
    if not tried:
        return
    out = sum(person.state == SCREENED_OUT for person in tried)
    passed = Counter(person.check_attempts for person in tried if person.has_trial)
    rest = len(tried) - out - passed.total()
    rows = [(f"all right at attempt {attempt}", count(passed[attempt])) for attempt in sorted(passed)]
    rows.append(("screened out", count(out)))
    if rest:
        rows.append(("no trial of theirs ended", count(rest)))
    yield Table("The check after the instructions", ("", "People"), rows, note=CHECKS)


def _why_not(person: Person) -> str:
    if person.fate != EXCLUDED:
        return WHY[person.fate]
    return f"excluded: {person.reason}" + (", after outcomes were seen" if person.is_post_hoc else "")


def _ended(people: Iterable[Person], always: tuple[str, ...]) -> Iterator[tuple[str, list[Person], bool]]:
    """How these people's sessions ended, without what never happened; nothing where that is recorded of nobody."""
    ended = _by(people, lambda person: person.state, always)
    if any(ended[state] for state in ended if state):
        for state in (*ENDS, *sorted(set(ended) - set(ENDS))):
            if state in ended:
                yield ENDS.get(state, state), ended[state], False


def _by(people: Iterable[Person], key: Callable[[Person], str], always: tuple[str, ...]) -> dict[str, list[Person]]:
    """The people with each value of `key`; nobody for those of `always` that do not occur."""
    found: dict[str, list[Person]] = {name: [] for name in always}
    for person in people:
        found.setdefault(key(person), []).append(person)
    return found


def _attrition(data: Data, results: Results) -> Table:
    is_anybody_out = bool(data.flow.planned.is_excluded.any())
    treatments = ("none", "applied") if is_anybody_out and data.has_exclusions else (results.exclusions,)
    rows = []
    for exclusions in treatments:
        words = {"none": "", "applied": ", without those excluded"}[exclusions] if len(treatments) > 1 else ""
        for row in _rows(results, exclusions):
            n, found = row.found.n_trials, row.found
            missing = count(None if found.estimate is None else round(n * found.estimate))
            name = name_of(row, data) + words
            rows.append((name, count(n), missing, bare(found.estimate), between(found), "", remarks(found)))
        gain = results.find(IDS[1], HUMAN_MODEL, baseline=HUMAN, exclusions=exclusions) or Estimate()
        figures = (points(gain.estimate), between(gain, kind="points"), p_value(gain.p), remarks(gain))
        rows.append((f"Human + model − human, points{words}", "", "", *figures))
    waiting = sum(person.state == ACTIVE for person in data.flow.people)
    note = MISSING
    if waiting:
        still = "count as missing" if data.study.is_closed else "are left out"
        note += f" Trials still to come of the {count(waiting)} who have not finished {still}."
    columns = ("", "Planned", "Missing", f"Missing,{SPACE}%", "95 % interval", "p", "Remarks")
    return Table("Planned trials that are not in the data", columns, rows, note=note)


def _rows(results: Results, exclusions: str) -> list[Result]:
    wanted = (IDS[0], "all", "wrong", exclusions)
    return [row for row in results if (row.id, row.subset, row.timeouts, row.exclusions) == wanted]
