"""Who may see the console: signed-in staff; everybody else is led to the login page."""

import functools
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django_htmx.http import HttpResponseClientRedirect

from studies.jobs.executor import database_view

View = Callable[..., HttpResponseBase]


def is_staff(request: HttpRequest) -> bool:
    return request.user.is_active and request.user.is_staff


def signed_in(request: HttpRequest) -> User:
    """Who asks, on a page that only staff reaches."""
    if not isinstance(request.user, User):
        raise PermissionError("signed_in() was called on a page without a login")
    return request.user


def is_htmx(request: HttpRequest) -> bool:
    """A part of a page that refreshes itself asks, not a person who moves to another page."""
    return request.headers.get("HX-Request") == "true"


def to_login(request: HttpRequest) -> HttpResponse:
    """Away to the login page and back afterwards; a part that refreshes itself takes its whole page along."""
    if is_htmx(request):
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
        return HttpResponseClientRedirect(redirect_to_login(urlunsplit(("", "", page.path, page.query, ""))).url)
    return redirect_to_login(request.get_full_path() if request.method in ("GET", "HEAD") else request.path)


def notice(request: HttpRequest, *, title: str, text: str, status: int = 200) -> HttpResponse:
    """A page that only says something, in the console's own layout."""
    return render(request, "console/notice.html", {"title": title, "text": text}, status=status)


def guarded(view: View) -> View:
    """Let staff through to a plain view; a thing that is not there becomes a friendly page."""

    @functools.wraps(view)
    def looked_at(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not is_staff(request):
            return to_login(request)
        try:
            return view(request, *args, **kwargs)
        except Http404 as missing:
            return notice(request, title="There is no such page", text=str(missing), status=404)

    return looked_at


def staff_page(view: View) -> Callable[..., Coroutine[Any, Any, HttpResponseBase]]:
    """A console page: staff only, run whole on the database thread, never kept by a cache."""
    return never_cache(database_view(guarded(view)))
