"""What chance decided: from the logged assignment to the slots, the strata, and what else each slot could have met.

A slot is a line of the plan: questions in blocks, each under a condition. What stays as it was is the questions a slot
meets, block by block; what could have been otherwise is which of them came with the model. So slots that meet the same
questions in the same blocks form a stratum, and their conditions may change places within it. In a Latin square whose
`rotation` says which questions come in the first block and whose `order_swap` says which condition does, that is
"reshuffle the swap within the rotation"; where `rotation` says which condition a group of questions gets (as on this
server), rotation and order change together. Where conditions are interleaved, a slot is one block: rotations change
places, and each slot keeps the order of its questions, which was drawn without regard to the rotation, so that every
answer keeps its place in the session. All this is read off the plan itself, so names do not matter.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import factorial, prod

import numpy as np
import numpy.typing as npt
import pandas as pd

from studies.analysis.schema import HUMAN_MODEL

Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Key = tuple[object, ...]

MOST_LABELS = 12  # different assignments within one stratum
NEEDS_SYMMETRY = "needs_symmetry"
FROM_TRIALS = "plan_from_trials"


@dataclass(frozen=True)
class Drawn:
    """The logged draw. Where nothing can be re-drawn, only `reason` is set.

    slot_of: the slot of each participant code, -1 for none. stratum, label: of each slot, taken or not; `treated` says
    for (stratum, label, question code) whether the question comes with the model. is_flip: nothing was drawn, and each
    slot's two conditions change places by a coin; `stratum` and `treated` say nothing then.
    """

    slot_of: Codes = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    stratum: Codes = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    label: Codes = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    treated: Flags = field(default_factory=lambda: np.zeros((0, 0, 0), dtype=bool))
    is_flip: bool = False
    flags: tuple[str, ...] = ()
    reason: str = ""

    @property
    def possible(self) -> int:
        """How many assignments the draw could have given, the logged one among them."""
        if self.is_flip:
            return int(2 ** len(self.label))
        return int(prod([_arrangements(self.label[self.stratum == s]) for s in range(len(self.treated))]))


def draw_of(trials: pd.DataFrame, assignments: pd.DataFrame | None) -> Drawn:
    """How the conditions of these trials were drawn.

    trials: the completed table of a study. assignments: the checked assignments.csv; without it the plan is derived
    from the trials where they name their `list` and `block`, with the flag `plan_from_trials`. A judge-advisor design
    (each question first alone, then with the model) draws nothing: flips, with the flag `needs_symmetry`.

    Nothing can be re-drawn, with the reason, when the trials contradict the plan, when a person has several slots, or
    when no two slots of a stratum differ (as in a fixed or merely counterbalanced order).
    """
    if _is_judge_advisor(trials):
        people = int(trials["participant_code"].max()) + 1
        own = np.arange(people)
        flips = Drawn(slot_of=own, label=np.zeros(people, dtype=np.int64), is_flip=True, flags=(NEEDS_SYMMETRY,))
        return _in_own_order(flips, trials)
    if assignments is None:
        assignments = _plan_from(trials)
        if assignments is None:
            return Drawn(reason="no assignments.csv, and the trials do not name list and block: the draw is not known")
        return _draw_of(trials, assignments, (FROM_TRIALS,))
    return _draw_of(trials, assignments, ())


def _draw_of(trials: pd.DataFrame, assignments: pd.DataFrame, flags: tuple[str, ...]) -> Drawn:
    if "participant" not in assignments:
        assignments = assignments.assign(participant=assignments["slot"])
    takers = assignments[["participant", "slot"]].drop_duplicates()
    takers = takers.loc[takers["participant"] != ""]
    if takers["participant"].duplicated().any():
        return Drawn(reason="assignments.csv gives a person several slots")
    names, slots = np.unique(assignments["slot"].to_numpy(dtype=object), return_inverse=True)
    plan = assignments.assign(slot_code=slots, question_code=_codes(trials, "question", assignments["question"]))
    plan = plan.drop_duplicates(["slot_code", "question"])
    lines = [_Line.of(part) for _, part in plan.groupby("slot_code", sort=True)]
    keys = _strata(lines)
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    stratum = np.array([places[key] for key in keys], dtype=np.int64)
    ways = [sorted({line.drawn for line, own in zip(lines, stratum, strict=True) if own == s}) for s in places.values()]
    label = np.array([ways[s].index(line.drawn) for s, line in zip(stratum, lines, strict=True)], dtype=np.int64)
    most = int(label.max()) + 1
    if most == 1:
        return Drawn(reason="no two slots that meet the same questions in the same blocks differ in their conditions")
    if most > MOST_LABELS:
        return Drawn(reason=f"a stratum holds {most} different assignments; at most {MOST_LABELS} are re-drawn")
    treated = np.zeros((len(places), most, int(trials["question_code"].max()) + 1), dtype=bool)
    for s, v, line in zip(stratum, label, lines, strict=True):
        line.write(treated[s, v])
    slot_of = np.full(int(trials["participant_code"].max()) + 1, -1, dtype=np.int64)
    known = _codes(trials, "participant", takers["participant"])
    slot_of[known[known >= 0]] = np.searchsorted(names, takers["slot"].to_numpy(dtype=object))[known >= 0]
    drawn = Drawn(slot_of, stratum, label, treated, flags=flags)
    wrong = _contradictions(trials, drawn)
    return Drawn(reason=wrong) if wrong else _in_own_order(drawn, trials)


@dataclass(frozen=True)
class _Line:
    """One slot: its questions by block, its conditions over its questions in their order, its logged list and round."""

    blocks: Key
    questions: Codes
    with_model: Flags
    list_name: str
    round_name: str

    @classmethod
    def of(cls, part: pd.DataFrame) -> "_Line":
        part = part.assign(block=part.get("block", ""), position=part.get("position", np.nan))
        first = part.groupby("block", sort=True)["position"].min().sort_values(kind="stable")
        questions = part["question"].to_numpy(dtype=object)
        in_block = [tuple(sorted(questions[(part["block"] == name).to_numpy()])) for name in first.index]
        order = np.argsort(questions, kind="stable")
        codes, conditions = part["question_code"].to_numpy(), part["condition"].to_numpy(dtype=object) == HUMAN_MODEL
        logged = [str(part[name].iloc[0]) if name in part else "" for name in ("list", "round")]
        return cls(tuple(in_block), codes[order], conditions[order], *logged)

    @property
    def is_single(self) -> bool:
        return bool(self.with_model.all() or not self.with_model.any())

    @property
    def drawn(self) -> bytes:
        """What chance decided: the condition of everything, or of each question."""
        return (self.with_model[:1] if self.is_single else self.with_model).tobytes()

    def write(self, treated: Flags) -> None:
        """Set the questions that come with the model; between subjects that holds for whatever anybody met."""
        if self.is_single:
            treated[:] = self.with_model[0]
        else:
            known = self.questions >= 0
            treated[self.questions[known]] = self.with_model[known]


def _strata(lines: list[_Line]) -> list[Key]:
    """The stratum of each slot.

    Between subjects: the logged list, where lists hold both conditions. Otherwise the questions in their blocks and,
    where the slots of each logged round of the draw meet the same blocks, that round. Two slots of a round may have
    got the same (a rotation exchanges two arms of one condition): they still changed places with the others only.
    """
    if all(line.is_single for line in lines):
        by_list: dict[str, set[bytes]] = {}
        for line in lines:
            by_list.setdefault(line.list_name, set()).add(line.drawn)
        if any(len(conditions) == 2 for conditions in by_list.values()):
            return [(line.list_name,) for line in lines]
    rounds: dict[str, list[_Line]] = {}
    for line in lines:
        rounds.setdefault(line.round_name, []).append(line)
    is_drawn_so = "" not in rounds and all(len({line.blocks for line in each}) == 1 for each in rounds.values())
    return [(*line.blocks, line.round_name) if is_drawn_so else line.blocks for line in lines]


def _in_own_order(drawn: Drawn, trials: pd.DataFrame) -> Drawn:
    """The same draw with slots and strata in an order that follows from the answers: names then change no p value."""
    slots = drawn.slot_of[trials["participant_code"]]
    facts = trials[["question_code", "correct", "timed_out"]].assign(helped=trials["condition"] == HUMAN_MODEL)
    facts = facts.astype(np.float64).assign(slot=slots).sort_values(["slot", "question_code", "helped"])
    ends = np.searchsorted(facts["slot"].to_numpy(), np.arange(len(drawn.label) + 1))
    table = facts.drop(columns="slot").to_numpy()
    own = [(int(v), table[ends[s] : ends[s + 1]].tobytes()) for s, v in enumerate(drawn.label)]
    if drawn.is_flip:
        order = sorted(range(len(own)), key=lambda slot: own[slot])
        return replace(drawn, slot_of=_moved(drawn.slot_of, order))
    members: dict[int, list[int]] = {}
    for slot, stratum in enumerate(drawn.stratum):
        members.setdefault(int(stratum), []).append(slot)
    for within in members.values():
        within.sort(key=lambda slot: own[slot])
    strata = sorted(members, key=lambda s: (drawn.treated[s].tobytes(), [own[slot] for slot in members[s]]))
    order = [slot for s in strata for slot in members[s]]
    place = np.argsort(np.array(strata))
    return replace(drawn, slot_of=_moved(drawn.slot_of, order), stratum=place[drawn.stratum[order]],
                   label=drawn.label[order], treated=drawn.treated[strata])  # fmt: skip


def _moved(slot_of: Codes, order: list[int]) -> Codes:
    place = np.empty(len(order) + 1, dtype=np.int64)
    place[order], place[-1] = np.arange(len(order)), -1
    return place[slot_of]


def _plan_from(trials: pd.DataFrame) -> pd.DataFrame | None:
    if (trials["list"] == "").any() or (trials["block"] == "").any():
        return None
    return trials[["participant", "question", "condition", "list", "block", "position"]].assign(
        slot=trials["participant"]
    )


def _contradictions(trials: pd.DataFrame, drawn: Drawn) -> str:
    slots = drawn.slot_of[trials["participant_code"]]
    if (slots < 0).any():
        return f"{int((slots < 0).sum())} trials are of people who are not in assignments.csv"
    planned = drawn.treated[drawn.stratum[slots], drawn.label[slots], trials["question_code"]]
    wrong = int((planned != (trials["condition"] == HUMAN_MODEL)).sum())
    return f"{wrong} trials were not under the condition that assignments.csv has for them" if wrong else ""


def _is_judge_advisor(trials: pd.DataFrame) -> bool:
    pairs = trials[["participant_code", "question_code"]]
    return bool((trials["stage"] == "initial").any() and pairs.duplicated(keep=False).all())


def _codes(trials: pd.DataFrame, name: str, values: pd.Series) -> Codes:
    """The trials' own codes for names; -1 for a name that no trial has."""
    known = trials.drop_duplicates(name).set_index(name)[f"{name}_code"]
    return known.reindex(values).fillna(-1).to_numpy(dtype=np.int64)


def _arrangements(labels: Codes) -> int:
    return factorial(len(labels)) // prod([factorial(int(n)) for n in np.bincount(labels)])


def redraws(drawn: Drawn, *, count: int, rng: np.random.Generator, at_once: int = 500) -> Iterator[Codes]:
    """Labels of every slot under `count` new draws, in parts of at most `at_once` rows (draws × slots)."""
    order = np.argsort(drawn.stratum, kind="stable") if not drawn.is_flip else np.arange(0)
    for start in range(0, count, at_once):
        rows = min(at_once, count - start)
        if drawn.is_flip:
            yield rng.integers(0, 2, size=(rows, len(drawn.label)))
            continue
        # Random keys, sorted within strata: a uniform permutation of each stratum's labels.
        keys = rng.random((rows, len(order))) + drawn.stratum[order]
        labels = np.empty((rows, len(order)), dtype=np.int64)
        labels[:, order] = drawn.label[order][np.argsort(keys, axis=1)]
        yield labels
