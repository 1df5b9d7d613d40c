"""What changed from one version of a study to another."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from studies.console.find import study_or_404
from studies.console.guard import staff_page
from studies.design.diff import by_table, changes
from studies.design.diff_plan import plan_difference
from studies.design.frozen import changes_of


@staff_page
@require_safe
def diff(request: HttpRequest, name: str, version: int, other: int) -> HttpResponse:
    """Keys that differ, table by table, and what follows for sample, slots and stances."""
    old, new = study_or_404(name, version), study_or_404(name, other)
    shown = {
        "section": "studies",
        "study": new,
        "old": old,
        "tables": list(by_table(changes(old.spec, new.spec))),
        "follows": plan_difference(old, new).sentences(),
        "bent": [study for study in (old, new) if changes_of(study, parts=())],
    }
    return render(request, "console/diff.html", shown)
