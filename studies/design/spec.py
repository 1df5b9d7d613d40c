"""The study file as frozen dataclasses: every key with its type, default, allowed values and meaning.

`spec_read` makes them from TOML, `spec_json` stores them, `key_page` prints the page of all keys from here.
"""

from __future__ import annotations

from dataclasses import dataclass

from studies.design.keys import key

NAME = r"[a-z0-9]+(?:[-_][a-z0-9]+)*"
NAME_WORDS = "lower-case letters and digits, joined by - or _"
MODELS = ("openai", "engine")  # the backends that call a language model
CONTROLLED = ("prompted", "scripted")  # the ways of being unreliable that argue for a planned stance
PROTOCOLS = (  # the model alone: those of a baseline run, and what is combined from their samples
    "zero-shot",
    "5-shot",
    "rotations",
    "rotations-mean",
    "chain-of-thought",
    "chain-of-thought-majority",
    "chain-of-thought-best-of-n",
    "free-text",
    "frequencies",
    "frequencies-majority",
    "p-true",
    "lm-eval-zero-shot",
    "lm-eval-5-shot",
    "scripted-stance",
)
# Those that an endpoint without letter log-probabilities cannot be asked by; a chain of thought is read as text there.
BY_LETTERS = frozenset(
    {"zero-shot", "5-shot", "rotations", "rotations-mean", "p-true", "lm-eval-zero-shot", "lm-eval-5-shot"}
)
RATED_BY_LETTERS = frozenset({"chain-of-thought-best-of-n"})  # those that need them of the assistant that rates
MOST_SURVEY_ITEMS = 30
MOST_SURVEY_TEXTS = 10  # so that the longest answers in any alphabet fit into one request


@dataclass(frozen=True)
class StudyTable:
    """What the study is called, how many people it is for, and the seed of everything that is drawn."""

    name: str = key("The study's name in commands and files.", pattern=NAME, pattern_words=NAME_WORDS, least=1, most=80)
    title: str = key("What participants see as the study's title.", least=1, most=200)
    seed: int = key(
        "The seed of the sample, the stances and the order of everything; the same seed on the same bank gives the "
        "same study.",
        low=0,
        high=2**63 - 1,
    )
    slots: int = key("How many places the study has: one participant takes one.", low=1, high=10_000)
    contact: str = key("Whom participants can write to; stands on every page.", least=1, most=300)
    expected_minutes: int = key("How long it takes, told before consent.", low=1, high=10_000)
    is_listed: bool = key(
        "The server's front page names the study while it is open and lets anybody join; otherwise only who has the "
        "link can.",
        default=False,
    )


@dataclass(frozen=True)
class TextsTable:
    """What participants read, in Markdown. A change makes a new version of the study."""

    consent: str = key(
        "What is asked, how long, what is stored, that it is voluntary; its hash is stored with each consent.",
        least=1,
        most=50_000,
    )
    instructions: str = key("How it works; can be opened again at any time.", least=1, most=50_000)
    debrief: str = key(
        "What is told at the end. It must disclose an assistant that was scripted or prompted to argue.",
        least=1,
        most=50_000,
    )
    discloses_assistant: bool = key(
        "Your word that the debrief discloses the scripted or prompted assistant; must be true when there is one.",
        default=False,
    )
    disclosure: str = key(
        "The sentence of the debrief that discloses it, word for word. Needed where the words cannot be found without "
        "it, for example in another language.",
        default="",
        most=2_000,
    )
    names_remote_assistant: bool = key(
        "Your word that the consent text names the assistant that is hosted elsewhere; must be true when there is one.",
        default=False,
    )


@dataclass(frozen=True)
class CheckTable:
    """One question about the instructions. All are asked on one page after them; the order is the file's. Studies
    without such tables go straight on to the questions."""

    name: str
    text: str = key("What is asked.", least=1, most=2_000)
    options: tuple[str, ...] = key("What can be chosen, in this order.", least=2, most=10)
    correct: str = key("The option that is right, word for word. It never leaves the server.", least=1, most=2_000)


@dataclass(frozen=True)
class ScreeningTable:
    """What happens to people who do not pass the check questions. They have met no question of the study yet."""

    attempts: int = key(
        "How often somebody may answer the check questions. Whoever has not all of them right by then is screened out, "
        "and their place is given to somebody else.",
        default=2,
        low=1,
        high=20,
    )
    text: str = key(
        "What those are told who are screened out, in Markdown.",
        default="Some of your answers about the instructions were not right, so the study ends here for you. Thank you "
        "for the time that you gave.",
        least=1,
        most=50_000,
    )


@dataclass(frozen=True)
class SourceTable:
    """One source of questions: a bank, what is drawn from it, and the time limit of its questions."""

    name: str
    bank: str = key("The question bank, by its name.", pattern=NAME, pattern_words=NAME_WORDS, least=1, most=80)
    split: str = key("The bank's split to draw from, for example val or dev.", least=1, most=20)
    count: int = key("How many questions the study uses from here, all conditions together.", low=1, high=20_000)
    subjects: tuple[str, ...] = key("Draw only from these subjects; empty: from all.", default=())
    stratify: bool = key(
        "Draw equally many from each subject, as far as they reach, and spread each subject over the conditions.",
        default=False,
    )
    time_limit_seconds: int = key(
        "Seconds from opening a question to its deadline; 0: no limit.", default=0, low=0, high=86_400
    )


@dataclass(frozen=True)
class ConditionTable:
    """One condition. Participants never see its name; the order of the tables is the order of the conditions."""

    name: str
    assistance: str = key("none: nobody to ask; chat: an assistant to talk with.", choices=("none", "chat"))
    assistant: str = key("The assistant of a chat condition, by the name of its table.", default="", most=80)
    feedback: str = key(
        "When the right answer is shown: never, after each question, or after the block; where conditions are "
        "interleaved, after the last question, for this condition's questions.",
        default="none",
        choices=("none", "immediate", "end_of_block"),
    )
    passage_first_turn: bool = key(
        "The model is given the passage as its first turn; people are told whether it has it. A scripted assistant "
        "always has it.",
        default=True,
    )
    passage_after_reset: bool = key(
        "After a reset the model is given the passage again, where `passage_first_turn` is true.", default=True
    )


@dataclass(frozen=True)
class AssistantTable:
    """One assistant. A controlled one (scripted or prompted) argues for a planned option, its stance."""

    name: str
    backend: str = key(
        "scripted: a text that argues for the stance; openai: any OpenAI-compatible endpoint; engine: this project's "
        "own `run_engine`.",
        choices=("scripted", "openai", "engine"),
    )
    unreliability: str = key(
        "natural: the model's own mistakes; prompted: the system prompt tells it to argue for the stance; scripted: "
        "the scripted backend.",
        default="natural",
        choices=("natural", *CONTROLLED),
    )
    accuracy: float | None = key(
        "Share of questions whose stance is the right answer (an exact count). Needed by scripted and prompted.",
        default=None,
        low=0.0,
        high=1.0,
    )
    accuracy_by_subject: dict[str, float] = key(  # noqa: RUF009  key() makes it a default factory
        "Another share for single subjects, exact within each.", default={}, low=0.0, high=1.0
    )
    stance_per: str = key(
        "question: everybody meets the same stance; trial: drawn for each participant and question.",
        default="question",
        choices=("question", "trial"),
    )
    words_per_second: float = key(
        "How fast a scripted reply appears; 0: at once. Bots always get it at once.",
        default=7.0,
        low=0.0,
        high=100.0,
        only=("scripted",),
    )
    model: str = key(
        "The model's name at the endpoint. Empty with engine: the one that it serves, recorded with each reply.",
        default="",
        most=200,
        only=MODELS,
    )
    base_url: str = key(
        "Where it answers, for example http://127.0.0.1:8100/v1.",
        default="",
        pattern=r"https?://[^\s/]+(/\S*)?",
        pattern_words="a URL that starts with http:// or https://",
        most=500,
        only=MODELS,
    )
    operator: str = key(
        "Who runs an assistant that is hosted elsewhere; must then stand in the consent text in these words. Where it "
        "is empty the consent must hold the endpoint's host.",
        default="",
        most=200,
        only=MODELS,
    )
    api_key_env: str = key(
        "The name of the environment variable that holds the API key; the key itself is never stored.",
        default="",
        pattern=r"[A-Z_][A-Z0-9_]*",
        pattern_words="the name of an environment variable, in capitals",
        most=80,
        only=MODELS,
    )
    system_prompt: str = key(
        "The system prompt of a natural assistant; empty: the shipped one.", default="", most=20_000, only=MODELS
    )
    temperature: float = key("Sampling temperature; 0: greedy.", default=1.0, low=0.0, high=2.0, only=MODELS)
    top_p: float = key("Sampling from the smallest set with this mass.", default=1.0, low=0.01, high=1.0, only=MODELS)
    max_tokens: int = key("The longest reply, in tokens.", default=512, low=1, high=32_768, only=MODELS)
    timeouts: dict[str, float] = key(  # noqa: RUF009  key() makes it a default factory
        "Seconds to wait, by name: connect, first_token, between_tokens, total. Those left out have their defaults.",
        default={},
        low=0.1,
        high=3_600.0,
        names=("connect", "first_token", "between_tokens", "total"),
        only=MODELS,
    )
    price_prompt: float | None = key(
        "What a million tokens read cost, in US dollars: with it baseline runs say what they cost.",
        default=None,
        low=0.0,
        high=10_000.0,
        only=("openai",),
    )
    price_completion: float | None = key(
        "What a million tokens written cost, in US dollars; given together with `price_prompt`.",
        default=None,
        low=0.0,
        high=10_000.0,
        only=("openai",),
    )


@dataclass(frozen=True)
class AnswersTable:
    """How confidence is asked."""

    confidence: tuple[float, ...] = key(
        "The points of the confidence scale, as probabilities, rising. The default is the paper's scale.",
        default=(0.25, 0.42, 0.60, 0.80, 1.00),
        low=0.0,
        high=1.0,
        least=2,
        most=101,
    )
    confidence_labels: tuple[str, ...] = key("A word for each point, or an empty list.", default=(), most=101)


@dataclass(frozen=True)
class TimingTable:
    """Times that belong to the study as a whole."""

    grace_seconds: float = key(
        "What arrives this long after the deadline still counts, and is marked.", default=2.0, low=0.0, high=30.0
    )
    reply_max_seconds: float = key("The longest time that one reply may take.", default=120.0, low=5.0, high=3_600.0)
    compensates_outages: bool = key(
        "When the assistant fails, the open question's deadline moves by the time from asking to failing, at most "
        "`reply_max_seconds` each time. Such trials are marked: given time is a treatment, and mostly those with an "
        "assistant get it.",
        default=False,
    )
    abandon_after_hours: float = key(
        "Whoever stays away longer is counted as abandoned and gives the slot back, also once the study is closed; the "
        "data stay. Pauses do not count. 0: never.",
        default=72.0,
        low=0.0,
        high=8_760.0,
    )


@dataclass(frozen=True)
class AssignmentTable:
    """Who answers what, under which condition, in which order."""

    method: str = key(
        "fixed: one sample per condition, the same for everybody, conditions in the file's order (the paper); "
        "counterbalanced: the same, with the order of the blocks balanced over the slots; latin_square: the samples "
        "rotate through the conditions over the slots, and the order of the blocks is balanced too; interleaved: the "
        "samples rotate, and the questions come in rounds of one from each condition, in an order drawn for each slot "
        "and round, all in one block.",
        choices=("fixed", "counterbalanced", "latin_square", "interleaved"),
    )
    passage_repeats: str = key(
        "never: nobody meets a passage twice, so the study has at most one question per passage; allow: questions are "
        "drawn without regard to their passages.",
        default="never",
        choices=("never", "allow"),
    )


@dataclass(frozen=True)
class AnalysisTable:
    """What is fixed before the data are seen."""

    primary_baseline: str = key(
        "The protocol of the model alone that the people are compared with first.",
        default="zero-shot",
        choices=PROTOCOLS,
    )


@dataclass(frozen=True)
class SurveyTable:
    """One item of the survey, a page after the last question with all items in the file's order."""

    name: str
    text: str = key("What is asked, as plain text.", least=1, most=1_000)
    kind: str = key(
        "scale: one point out of as many as `labels` has; choice: one of `options`; text: their own words, "
        "at most 4,000 characters.",
        choices=("scale", "choice", "text"),
    )
    labels: tuple[str, ...] = key(
        "The words for the points of a scale; the first point is 1. All but the first and the last may be empty.",
        default=(),
        least=2,
        most=11,
    )
    options: tuple[str, ...] = key("What can be chosen in a choice.", default=(), least=2, most=20)
    is_required: bool = key(
        "The survey can be sent only with an answer to this; otherwise nobody has to tell.", default=False
    )


@dataclass(frozen=True)
class Spec:
    """A whole study file. Check questions, sources, conditions, assistants and the survey's items keep its order."""

    study: StudyTable
    texts: TextsTable
    checks: tuple[CheckTable, ...]
    screening: ScreeningTable
    questions: tuple[SourceTable, ...]
    conditions: tuple[ConditionTable, ...]
    assistants: tuple[AssistantTable, ...]
    answers: AnswersTable
    timing: TimingTable
    assignment: AssignmentTable
    analysis: AnalysisTable
    survey: tuple[SurveyTable, ...] = ()

    def source(self, name: str) -> SourceTable:
        """Raises KeyError for a name that the file does not have; so do `condition` and `assistant`."""
        return {each.name: each for each in self.questions}[name]

    def condition(self, name: str) -> ConditionTable:
        return {each.name: each for each in self.conditions}[name]

    def assistant(self, name: str) -> AssistantTable:
        return {each.name: each for each in self.assistants}[name]


TABLES: dict[str, type] = {
    "study": StudyTable,
    "texts": TextsTable,
    "screening": ScreeningTable,
    "answers": AnswersTable,
    "timing": TimingTable,
    "assignment": AssignmentTable,
    "analysis": AnalysisTable,
}
NAMED_TABLES: dict[str, type] = {
    "checks": CheckTable,
    "questions": SourceTable,
    "conditions": ConditionTable,
    "assistants": AssistantTable,
    "survey": SurveyTable,
}
