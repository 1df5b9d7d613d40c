"""Where the pages are: participants at the root, experimenters under /console/."""

from django.urls import include, path

urlpatterns = [
    path("", include("studies.participant.urls")),
    path("console/", include("studies.console.urls")),
]
