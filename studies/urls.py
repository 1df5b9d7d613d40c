"""Where the pages are: the front page and participants at the root, experimenters under /console/."""

from django.urls import include, path

from studies.console.guard import staff_page
from studies.console.urls import STUDY
from studies.console.views.front import front
from studies.participant.preview import preview

previewed = staff_page(preview)  # the participant's pages behind the console's guard; the two do not know each other
urlpatterns = [
    path("", front, name="front"),
    path("", include("studies.participant.urls")),
    path(f"console/{STUDY}preview/", previewed, name="preview"),
    path(f"console/{STUDY}preview/<str:slot>/<slug:key>/", previewed, name="preview-page"),
    path("console/", include("studies.console.urls")),
]
