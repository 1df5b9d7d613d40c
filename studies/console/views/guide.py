"""How to make a study, and the page of all keys of a study file."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from studies.console.guard import staff_page
from studies.design.key_page import keys_page
from studies.design.summary import METHODS
from studies.runtime import markup


@staff_page
@require_safe
def guide(request: HttpRequest) -> HttpResponse:
    return render(request, "console/guide.html", {"section": "guide", "methods": METHODS.items()})


@staff_page
@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """Made from the code that reads study files, so that it is never out of date."""
    return render(request, "console/keys.html", {"section": "keys", "keys": markup.render(keys_page())})
