"""Read the correct option from what files write: A-D, a-d, or a number, counted from 0 or (only when told) from 1."""

from collections.abc import Iterable

from studies.questions.records import OPTION_COUNT, FileError, Origin, RecordError

LETTERS = "ABCD"


def find_base(file: str, keys: Iterable[object], *, told: int | None, named_by_header: int | None = None) -> int:
    """Whether the numbers among a file's keys count from 0 or from 1.

    `told` (the option --key-base) decides; else a header such as choice0 … choice3; else a 0 among the keys, which only
    counting from 0 can produce. Without any of these 1, 2 and 3 mean different options in the two habits, and a guess
    would mark right answers wrong: FileError asks.
    """
    if told is not None:
        return told
    numbers = {number for number in map(_number, keys) if number is not None}
    if named_by_header is not None or not numbers:
        return named_by_header or 0
    if 0 in numbers:
        return 0
    found = ", ".join(str(number) for number in sorted(numbers)[:6])
    raise FileError(file, f"its keys are numbers ({found}) and none is 0: say --key-base 0 or --key-base 1")


def read_key(origin: Origin, value: object, base: int) -> int:
    """The 0-based place of the right option; RecordError with what is allowed."""
    text = value.strip() if isinstance(value, str) else value
    if isinstance(text, str) and len(text) == 1 and text.upper() in LETTERS:
        return LETTERS.index(text.upper())
    number = _number(value)
    if number is not None and base <= number < base + OPTION_COUNT:
        return number - base
    hint = "; a file that counts from 1 needs --key-base 1" if number == OPTION_COUNT and base == 0 else ""
    raise RecordError(origin, "key", value, f"A to D, a to d, or {base} to {base + OPTION_COUNT - 1}{hint}")


def looks_like_key(value: str) -> bool:
    """Whether a cell could be a key in any of the habits."""
    text = value.strip()
    return (len(text) == 1 and text.upper() in LETTERS) or _number(text) in range(OPTION_COUNT + 1)


def _number(value: object) -> int | None:
    if isinstance(value, str):
        text = value.strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
    return value if type(value) is int else None
