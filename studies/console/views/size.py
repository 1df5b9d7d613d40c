"""How big a study must be: a form of numbers, and what a simulation says about them. Nothing is kept."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from studies.analysis.sizing_fields import DESIGNS, FIELDS, NAMES, Field
from studies.console.find import study_or_404
from studies.console.guard import guarded
from studies.design import access
from studies.design.models import Study
from studies.jobs.executor import on_reading_database
from studies.reports import looks, sizes

OF_THE_PLAN = frozenset({"questions", "each", "design"})  # a study's own plan decides these
GROUPS = {
    "Plan": ("people", "questions", "each", "exclusions"),
    "What you expect": ("accuracy", "target", "effect"),
    "How much they differ": ("person", "question", "person_effect", "question_effect"),
    "Test": ("alpha", "goal", "margin", "looks"),
    "Simulation": ("replications", "seed"),
}
LONGEST = 40  # characters of a number
ON_PAGE = {"replications": "600"}
OPEN_PILOT = (
    "{name} is not closed: its answers are sealed until it is. To take them earlier is a look, which is printed in its "
    "report: manage.py plan_power --pilot {name} --look REASON."
)


@dataclass(frozen=True)
class Input:
    """A number to be typed in, what stands for nothing, and what is wrong with it."""

    field: Field
    value: str
    default: str
    problem: str


@never_cache
@require_safe
async def free(request: HttpRequest) -> HttpResponseBase:
    """Any people and questions."""
    return await on_reading_database(_free, request)


@never_cache
@require_safe
async def of_study(request: HttpRequest, name: str, version: int) -> HttpResponseBase:
    """A study's own plan: how many of its slots are needed."""
    return await on_reading_database(_of_study, request, name, version)


@guarded
def _free(request: HttpRequest) -> HttpResponse:
    return _page(request, None)


@guarded
def _of_study(request: HttpRequest, name: str, version: int) -> HttpResponse:
    return _page(request, study_or_404(name, version))


def _page(request: HttpRequest, study: Study | None) -> HttpResponse:
    left_out = OF_THE_PLAN if study else frozenset[str]()
    values = {name: request.GET.get(name, "").strip()[:LONGEST] for name in NAMES - left_out}
    pilot_name = request.GET.get("pilot", "").strip()
    answer = _answer(values | {"pilot": pilot_name}, study) if request.GET else {"problems": {}}
    problems: dict[str, str] = answer["problems"]
    groups = [
        (title, [_input(name, values, problems, study) for name in names if name not in left_out])
        for title, names in GROUPS.items()
    ]
    shown = {
        "section": "studies" if study else "size",
        "study": study,
        "groups": groups,
        "designs": DESIGNS,
        "design": values.get("design") or "within",
        "pilot": pilot_name,
        "problems": problems,
        "other_problems": [text for name, text in problems.items() if name not in {f.name for f in FIELDS} | {"pilot"}],
        "answer": answer if "facts" in answer else None,
        "picture": "data:image/svg+xml," + quote(answer["picture"]["svg"]) if "picture" in answer else "",
    }
    return render(request, "console/size.html", shown, status=400 if problems else 200)


def _answer(values: dict[str, str], study: Study | None) -> dict[str, Any]:
    """What the simulation says, or the problems that kept it from being asked."""
    typed = {name: value for name, value in values.items() if value and name != "pilot"}
    try:
        pilot = access.study_by_reference(values["pilot"]) if values["pilot"] else None
        return sizes.size_of(ON_PAGE | typed, study=study, pilot=pilot)
    except access.NotFound as refusal:
        return {"problems": {"pilot": str(refusal)}}
    except looks.OutcomesSealed:
        return {"problems": {"pilot": OPEN_PILOT.format(name=values["pilot"])}}
    except sizes.TooSlow as slow:
        return {"problems": {"time": str(slow)}}


def _input(name: str, values: dict[str, str], problems: dict[str, str], study: Study | None) -> Input:
    field = next(each for each in FIELDS if each.name == name)
    default = ON_PAGE.get(name) or ("" if field.default is None else f"{field.default:g}")
    if study and name == "people":
        default = "all slots"
    return Input(field, values[name], default, problems.get(name, ""))
