"""Read a page as a browser would: forms with their hidden inputs, the question, the options, the scale."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    action: str
    hidden: dict[str, str] = field(default_factory=dict)


@dataclass
class Page:
    """What a bot sees. `ids` are the elements that have one; `texts` the text inside the elements that a bot reads.

    `choices`: the values of the radio buttons by name; `areas`: the names of the fields for text.
    """

    forms: list[Form] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    scale: list[float] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    areas: list[str] = field(default_factory=list)

    def form(self, ending: str) -> Form | None:
        """The form whose action ends so."""
        return next((form for form in self.forms if form.action.endswith(ending)), None)

    @property
    def question(self) -> str:
        return self.texts["question-text"][0]

    @property
    def options(self) -> list[str]:
        return self.texts.get("option-text", [])

    @property
    def code(self) -> str:
        return self.texts.get("code", [""])[0]


class _Reader(HTMLParser):
    VOID = frozenset({"input", "meta", "link", "br", "hr", "img"})
    READ = ("question-text", "option-text", "code", "error")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page, self.open = Page(), []

    open: list[str | None]
    page: Page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.page.ids.add(given["id"])
        if tag == "form":
            self.page.forms.append(Form(given.get("action", "")))
        if tag == "input" and given.get("type") == "hidden" and self.page.forms:
            self.page.forms[-1].hidden[given["name"]] = given.get("value", "")
        if tag == "input" and given.get("name") == "confidence":
            self.page.scale.append(float(given["value"]))
        if tag == "input" and given.get("type") == "radio":
            self.page.choices.setdefault(given.get("name", ""), []).append(given.get("value", ""))
        if tag == "textarea" and given.get("name"):
            self.page.areas.append(given["name"])
        if tag in self.VOID:
            return
        names = given.get("class", "").split()
        read = next((name for name in self.READ if name in names), None)
        self.open.append(read)
        if read:
            self.page.texts.setdefault(read, []).append("")

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID and self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        read = next((name for name in reversed(self.open) if name), None)
        if read:
            self.page.texts[read][-1] += data


def read(html: str) -> Page:
    reader = _Reader()
    reader.feed(html)
    return reader.page
