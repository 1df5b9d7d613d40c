"""The project's URLs: the app's pages, Django's admin for staff, and a health check for the proxy."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


async def healthz(request: HttpRequest) -> HttpResponse:
    """Says that this process answers; touches no database."""
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns = [
    path("healthz", healthz),
    path("admin/", admin.site.urls),
    path("", include("studies.urls")),
]
