"""Where the pages are: the front page and participants at the root, experimenters under /console/."""

from django.urls import include, path

from studies.console.views.front import front

urlpatterns = [
    path("", front, name="front"),
    path("", include("studies.participant.urls")),
    path("console/", include("studies.console.urls")),
]
