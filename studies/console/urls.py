"""The console's pages."""

from django.urls import path

from studies.console.views import (
    baselines,
    bundle,
    exclusions,
    figures,
    guide,
    login,
    pauses,
    people,
    registration,
    results,
    size,
    studies,
    versions,
)

app_name = "console"
STUDY = "studies/<slug:name>/v<int:version>/"
urlpatterns = [
    path("login/", login.login, name="login"),
    path("logout/", login.logout, name="logout"),
    path("", studies.studies, name="studies"),
    path("guide/", guide.guide, name="guide"),
    path("keys/", guide.keys, name="keys"),
    path("size/", size.free, name="free-size"),
    path("studies/<slug:name>/", studies.newest, name="newest"),
    path("studies/<slug:name>/results/", studies.newest, {"page": "console:results"}, name="newest-results"),
    path(STUDY, studies.study, name="study"),
    path(STUDY + "diff/v<int:other>/", versions.diff, name="diff"),
    path(STUDY + "live/", studies.live, name="live"),
    path(STUDY + "preregistration.json", registration.preregistration, name="preregistration"),
    path(STUDY + "size/", size.of_study, name="size"),
    path(STUDY + "launch/", studies.launch, name="launch"),
    path(STUDY + "close/", studies.close, name="close"),
    path(STUDY + "pause/", pauses.pause, name="pause"),
    path(STUDY + "resume/", pauses.resume, name="resume"),
    path(STUDY + "sessions/<slug:pseudonym>/pause/", pauses.pause, name="pause-session"),
    path(STUDY + "sessions/<slug:pseudonym>/resume/", pauses.resume, name="resume-session"),
    path(STUDY + "sessions/<slug:pseudonym>/exclude/", exclusions.exclude, name="exclude-session"),
    path(STUDY + "sessions/<slug:pseudonym>/include/", exclusions.include, name="include-session"),
    path(STUDY + "baselines/start/", baselines.start, name="start-baseline"),
    path(STUDY + "baselines/<int:run>/cancel/", baselines.cancel, name="cancel-baseline"),
    path(STUDY + "people/", people.people, name="people"),
    path(STUDY + "people/payment.csv", people.payment, name="payment"),
    path(STUDY + "bundle/", bundle.bundle, name="bundle"),
    path(STUDY + "results/", results.results, name="results"),
    path(STUDY + "results/look/", results.look, name="look"),
    path(STUDY + "results/compute/", results.compute, name="compute"),
    path(STUDY + "results/progress/", results.progress, name="progress"),
    path(STUDY + "results/report.html", results.report, name="report"),
    path(STUDY + "results/results.csv", results.csv, name="csv"),
    path(STUDY + "results/figures/", figures.figures, name="figures"),
    path(STUDY + "results/files/<path:file>", figures.download, name="download"),
]
