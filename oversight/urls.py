"""The project's URLs: the app's pages, Django's admin for staff, and a health check for the proxy."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.urls import include, path


async def healthz(request: HttpRequest) -> HttpResponse:
    """Says that this process answers; touches no database."""
    return HttpResponse("ok\n", content_type="text/plain")


def unreadable(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What nobody can read. Django's own page looks for a CSRF token in the body, so a broken body makes it a 500."""
    return HttpResponseBadRequest("This request cannot be read.\n", content_type="text/plain")


handler400 = unreadable
urlpatterns = [
    path("healthz", healthz),
    path("admin/", admin.site.urls),
    path("", include("studies.urls")),
]
