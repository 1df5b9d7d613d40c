"""The tables of a study: every column with its type, unit, levels and meaning. This file is the contract.

The server writes these tables, a bundle carries them, and this package reads them. `data_dictionary()` is the same
contract as plain rows. Columns that are not listed here may be present: they are kept and not used.
"""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "share", "flag", "count", "number", "time"]

ALLOWED: dict[Kind, str] = {
    "text": "any text",
    "share": "a number from 0 to 1, or empty",
    "flag": "0 or 1, or empty",
    "count": "a whole number, 0 or more, or empty",
    "number": "a number, 0 or more, or empty",
    "time": "an ISO 8601 time with its zone, such as 2026-01-31T09:30:00+00:00, or empty",
}


@dataclass(frozen=True)
class Column:
    """One declared column. `missing` says what an empty cell means; `per_question` that a question has one value."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    levels: tuple[str, ...] = ()
    missing: str = "not recorded"
    required: bool = False
    per_question: bool = False

    @property
    def allowed(self) -> str:
        """What may stand in a cell, as an error message says it."""
        if self.levels:
            return " or ".join(self.levels) + ("" if self.required else ", or empty")
        return "any text, not empty" if self.required and self.kind == "text" else ALLOWED[self.kind]


@dataclass(frozen=True)
class Table:
    """One declared table; `name` is the file name without `.csv`."""

    name: str
    meaning: str
    columns: tuple[Column, ...] = field(default=())

    def column(self, name: str) -> Column | None:
        """The declared column of this name, or None for one that is not declared."""
        return next((column for column in self.columns if column.name == name), None)


HUMAN, HUMAN_MODEL, MODEL = "human", "human+model", "model"
CONDITIONS = (HUMAN, HUMAN_MODEL)

PARTICIPANT = Column("participant", "text", "pseudonym of the person, random per study", required=True)
QUESTION = Column("question", "text", "identity of the question", required=True)
CONDITION = Column("condition", "text", "assistance on this trial", levels=CONDITIONS, required=True)
ARM = Column("arm", "text", "the study file's name of the condition", missing="same as condition")
SUBJECT = Column("subject", "text", "subject of the question", per_question=True)
TASK = Column("task", "text", "task of the question: mmlu, quality", per_question=True)
ITEM_GROUP = Column(
    "item_group", "text", "questions that hang together: the passage on QuALITY", per_question=True,
    missing="the question stands alone",
)  # fmt: skip
OPTION_COUNT = Column("option_count", "count", "number of options of the question", unit="options", per_question=True)
GOLD = Column("gold", "text", "the correct option", per_question=True, missing="`correct` is given instead")

TRIALS = Table(
    "trials",
    "One row per trial: one question to one person under one condition.",
    (
        PARTICIPANT,
        QUESTION,
        CONDITION,
        Column("answer", "text", "the option given", missing="no answer: the trial timed out"),
        GOLD,
        Column("correct", "flag", "the answer is the gold option", missing="derived from answer and gold"),
        Column("confidence", "share", "P(my answer is right)", unit="probability", missing="none given"),
        ARM,
        Column("stage", "text", "first answer alone, or final answer", levels=("initial", "final"), missing="final"),
        Column("initial_answer", "text", "the option given before advice", missing="no first answer was asked"),
        Column("initial_correct", "flag", "the first answer is the gold option", missing="derived from initial_answer"),
        Column("initial_confidence", "share", "P(my first answer is right)", unit="probability", missing="none given"),
        Column("initial_timed_out", "flag", "the time for the first answer ran out without one", missing="it did not"),
        Column("initial_seconds", "number", "time on the first answer", unit="seconds"),
        Column("model_answer", "text", "answer of the model ALONE by the study's primary protocol", per_question=True),
        Column("model_correct", "share", "that answer is right; a mean for a sampled model", per_question=True),
        Column("model_confidence", "share", "P of that answer", unit="probability", per_question=True),
        Column("assistant_answer", "text", "what this person's assistant argued for on this trial", missing="unknown"),
        Column("assistant_first", "text", "the option that the assistant argued for first", missing="none, or unknown"),
        Column(
            "stated_answer",
            "text",
            "the option that the person said they lean to, in the conversation",
            missing="none was stated, or unknown",
        ),
        Column("assistant_last", "text", "the option that the assistant argued for last", missing="none, or unknown"),
        TASK,
        SUBJECT,
        ITEM_GROUP,
        OPTION_COUNT,
        Column("block", "text", "block of the trial in the session; all of it where conditions are interleaved"),
        Column("position", "count", "place of the trial in the session", unit="trials"),
        Column("list", "text", "assignment list (rotation of the questions, order of the blocks)"),
        Column("confidence_raw", "text", "confidence on the study's own scale", missing="none given"),
        Column("seconds", "number", "time from opening to submission, without pauses", unit="seconds"),
        Column("limit_seconds", "number", "time limit of the trial", unit="seconds", missing="no limit"),
        Column("timed_out", "flag", "1 only when there is no answer", missing="derived: 1 when there is no answer"),
        Column("submitted_by", "text", "who submitted", levels=("person", "timer")),
        Column("in_grace", "flag", "received after the deadline and within the grace"),
        Column("compensated_seconds", "number", "time given back for outages of the assistant", unit="seconds"),
        Column("outage", "flag", "the assistant was down during this trial"),
        Column("n_messages", "count", "messages that the person sent", unit="messages"),
        Column("n_resets", "count", "context resets", unit="resets"),
        Column("n_user_chars", "count", "characters that the person sent", unit="characters"),
        Column("excluded", "flag", "left out where exclusions are applied; the row stays", missing="not excluded"),
        Column("exclusion_reason", "text", "the rule that excludes", missing="not excluded"),
        Column("post_hoc", "flag", "the exclusion was made after outcomes had been seen"),
        Column("simulated", "flag", "taken by a bot, not by a person", missing="a person"),
        Column("model_id", "text", "the assistant's model@revision and number type"),
        Column("prompt_hash", "text", "sha256 of the assistant's prompt"),
        Column("assigned_at", "time", "when the slot was taken"),
    ),
)

MODEL_ANSWERS = Table(
    "model_answers",
    "The model alone: one row per question, protocol and sample.",
    (
        QUESTION,
        Column("protocol", "text", "how the model was asked: zero-shot, scripted-stance, …", required=True),
        Column("sample", "count", "number of the sample", missing="one sample"),
        Column("answer", "text", "the option given", missing="no option could be read from the reply"),
        *(Column(f"p_{letter}", "share", f"P(option {letter})", unit="probability") for letter in "ABCD"),
        Column("confidence", "share", "P of the answer", unit="probability", missing="taken from p_A … p_D"),
        Column("correct", "flag", "the answer is the gold option", missing="derived from answer and gold"),
        Column(
            "place",
            "text",
            "where the answer stood among the options as they were shown",
            levels=tuple("ABCD"),
            missing="the options were not rotated, or no answer",
        ),
        Column(
            "scored",
            "text",
            "JSON: of each letter how many tokens were scored, their ids, and as the vocabulary writes them",
            missing="nothing was scored",
        ),
    ),
)

BANK_ANSWERS = Table(
    "bank_answers",
    "The model alone over the whole banks, where that was run: one row per question, protocol and sample.",
    (
        Column("bank", "text", "question bank", required=True),
        Column("split", "text", "split of the bank", required=True),
        SUBJECT,
        QUESTION,
        ITEM_GROUP,
        Column("protocol", "text", "how the model was asked, as in model_answers", required=True),
        Column("sample", "count", "number of the sample", required=True),
        Column("answer", "text", "the option given", missing="no option could be read from the reply"),
        *(Column(f"p_{letter}", "share", f"P(option {letter})", unit="probability") for letter in "ABCD"),
        Column("correct", "flag", "the answer is the gold option", required=True),
    ),
)

QUESTIONS = Table(
    "questions",
    "One row per question of the study.",
    (
        QUESTION,
        TASK,
        SUBJECT,
        ITEM_GROUP,
        OPTION_COUNT,
        GOLD,
        Column("bank", "text", "question bank"),
        Column("split", "text", "split of the bank"),
        Column("content_hash", "text", "sha256 of text and options"),
    ),
)

PARTICIPANTS = Table(
    "participants",
    "One row per participant session.",
    (
        PARTICIPANT,
        Column("kind", "text", "person or bot", levels=("person", "bot")),
        Column("state", "text", "where the session stands"),
        Column("list", "text", "assignment list"),
        Column("started_at", "time", "consent given"),
        Column("finished_at", "time", "the session ended: debrief shown, screened out or abandoned"),
        Column(
            "check_attempts", "count", "attempts at the check questions", missing="the study has none, or none was made"
        ),
        Column("excluded", "flag", "every trial of this person is excluded", missing="not excluded"),
        Column("exclusion_reason", "text", "the rule that excludes", missing="not excluded"),
        Column("post_hoc", "flag", "the exclusion was made after outcomes had been seen", missing="not excluded"),
    ),
)

CONDITIONS_TABLE = Table(
    "conditions",
    "One row per condition (arm) of the study file.",
    (
        Column("arm", "text", "the study file's name of the condition", required=True),
        CONDITION,
        TASK,
        Column("limit_seconds", "number", "time limit of a trial", unit="seconds", missing="no limit"),
        Column("assistant", "text", "the configured assistant", missing="no assistant"),
        Column("feedback", "text", "when the key is shown", levels=("none", "immediate", "end of block")),
    ),
)

MESSAGES = Table(
    "messages",
    "Messages and replies, only in bundles with text.",
    (
        PARTICIPANT,
        QUESTION,
        Column("position", "count", "place in the conversation", unit="turns"),
        Column("role", "text", "who wrote", levels=("message", "reply", "reset")),
        Column("text", "text", "what was written", missing="nothing, or erased"),
        Column("sent_at", "time", "when it was committed"),
    ),
)

ASSIGNMENTS = Table(
    "assignments",
    "The plan: one row per planned trial, for the randomisation test.",
    (
        Column("slot", "text", "slot of the assignment plan", required=True),
        Column("participant", "text", "who took the slot", missing="nobody"),
        QUESTION,
        CONDITION,
        ARM,
        Column("list", "text", "assignment list (rotation of the questions, order of the blocks)"),
        Column("rotation", "count", "rotation r: which questions have which condition", missing="they do not rotate"),
        Column("order_swap", "flag", "the conditions' order is swapped (s)", missing="not two blocks that could be"),
        Column("round", "text", "slots that were dealt their lists together, at random", missing="not drawn in rounds"),
        Column("block", "text", "block of the trial in the session; all of it where conditions are interleaved"),
        Column("position", "count", "place of the trial in the session", unit="trials"),
    ),
)

EXCLUSIONS = Table(
    "exclusions",
    "One row per exclusion decision.",
    (
        PARTICIPANT,
        Column("rule", "text", "which rule", required=True),
        Column("decided_by", "text", "who decided"),
        Column("decided_at", "time", "when"),
        Column("post_hoc", "flag", "outcomes had been seen"),
    ),
)

LEFT_EMPTY = "left empty, or free text"
ITEM = Column("item", "text", "name of the item in the study file", required=True)
ITEM_KIND = Column("item_kind", "text", "how it is answered", levels=("scale", "choice", "text"), required=True)

SURVEY = Table(
    "survey",
    "The survey at the end, where the study has one: one row per person who sent it and item.",
    (
        PARTICIPANT,
        ITEM,
        ITEM_KIND,
        Column("value", "count", "the point of the scale, or the number of the option, from 1", missing=LEFT_EMPTY),
        Column("words", "text", "what that point or option is called", missing=f"{LEFT_EMPTY}, or no words"),
        Column("characters", "count", "length of a free text", unit="characters", missing="none, or no free text"),
        Column("free_text", "text", "what was written", missing="nothing, or a bundle without text"),
        Column("excluded", "flag", "this person is excluded", missing="not excluded"),
        Column("exclusion_reason", "text", "the rule that excludes", missing="not excluded"),
        Column("post_hoc", "flag", "the exclusion was made after outcomes had been seen", missing="not excluded"),
    ),
)

SURVEY_ITEMS = Table(
    "survey_items",
    "What the survey asks: one row per item and each of its points or options, one for an item of free text.",
    (
        ITEM,
        ITEM_KIND,
        Column("item_text", "text", "what is asked", required=True),
        Column("item_required", "flag", "the survey could not be sent without an answer to it", required=True),
        Column("value", "count", "the point of the scale, or the number of the option, from 1", missing="free text"),
        Column("words", "text", "what that point or option is called", missing="free text, or no words"),
    ),
)

RESULTS = Table(
    "results",
    "What this package computes, in long form: one row per figure. Undefined is empty, with a reason.",
    (
        Column("id", "text", "which figure; the registry says how it is computed", required=True),
        Column("condition", "text", "assistance that the figure is about", levels=(*CONDITIONS, MODEL)),
        Column("arm", "text", "arm, or protocol of the model", missing="all arms, or the primary protocol"),
        Column("baseline", "text", "what a contrast subtracts", missing="not a contrast"),
        Column(
            "subset",
            "text",
            "all, task=…, subject=…, participant=…, model_correct=0|1, limit=seconds|none, outage=0 (without outages)",
            required=True,
        ),
        Column("timeouts", "text", "unanswered trials", levels=("wrong", "excluded"), required=True),
        Column("exclusions", "text", "excluded rows left out, or not", levels=("applied", "none"), required=True),
        Column("population", "text", "to whom the interval generalises", required=True),
        Column("estimate", "number", "the figure", missing="undefined, see reason"),
        Column("se", "number", "standard error", missing="undefined or not computed, see reason"),
        Column("df", "number", "degrees of freedom of t", missing="no t interval"),
        Column("low", "number", "lower end of the 95 % interval", missing="no interval, see reason"),
        Column("high", "number", "upper end of the 95 % interval", missing="no interval, see reason"),
        Column("p", "share", "p value of the null hypothesis 0", missing="no test"),
        Column("p_adj", "share", "p adjusted within its family", missing="outside every family"),
        Column("method", "text", "how interval and test were made"),
        Column("n_trials", "count", "rows that the figure rests on", unit="rows"),
        Column("P", "count", "participants that contribute", unit="clusters", missing="no participants: the model"),
        Column("Q", "count", "question-side clusters that contribute", unit="clusters"),
        Column("flags", "text", "words separated by ';' that qualify the figure", missing="none"),
        Column("reason", "text", "why something is undefined or left out", missing="nothing is"),
    ),
)

EVENTS = Table(
    "events",
    "One row per event of a session's log, chained: `--check` proves that none was removed or changed.",
    (
        PARTICIPANT,
        Column("attempt", "count", "which taking of the slot the session is", required=True),
        Column("seq", "count", "number of the event in its session, from 1", required=True),
        Column("type", "text", "what happened", required=True),
        Column("at", "time", "when, by the server's clock", required=True),
        Column("client_at", "time", "when, by the browser's clock", missing="not said by the browser"),
        Column("position", "count", "the trial's place in the session, from 1", missing="about the session"),
        Column("command_id", "text", "the browser's identity of the command", missing="not a browser's command"),
        Column("data", "text", "ids, counts and choices as JSON", missing="the person withdrew"),
        Column("salt", "text", "what was hashed before the data", missing="the person withdrew"),
        Column("data_hash", "text", "sha256 of salt and data", required=True),
        Column("hash", "text", "sha256 of the hash before and this row", required=True),
    ),
)

INPUTS = (
    TRIALS,
    MODEL_ANSWERS,
    QUESTIONS,
    PARTICIPANTS,
    CONDITIONS_TABLE,
    MESSAGES,
    ASSIGNMENTS,
    EXCLUSIONS,
    BANK_ANSWERS,
    SURVEY,
    SURVEY_ITEMS,
)
TABLES = (*INPUTS, EVENTS, RESULTS)


def data_dictionary() -> list[dict[str, str]]:
    """Return one row per declared column: table, name, type, unit, levels, required, missing, meaning."""
    return [
        {
            "table": table.name,
            "name": column.name,
            "type": column.kind,
            "unit": column.unit,
            "levels": " | ".join(column.levels),
            "required": "yes" if column.required else "no",
            "missing": "not allowed" if column.required else column.missing,
            "meaning": column.meaning,
        }
        for table in TABLES
        for column in table.columns
    ]
