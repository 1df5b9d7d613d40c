"""The participant's pages."""

from django.urls import path

from studies.participant import views

app_name = "participant"
urlpatterns = [
    path("join/<str:code>/", views.join, name="join"),
    path("session/", views.session_page, name="session"),
    path("session/begin/", views.begin, name="begin"),
    path("session/check/", views.check, name="check"),
    path("session/open/", views.open_trial, name="open"),
    path("session/answer/", views.answer, name="answer"),
    path("session/finish/", views.finish, name="finish"),
    path("session/survey/", views.survey, name="survey"),
    path("session/instructions/", views.instructions, name="instructions"),
    path("session/withdraw/", views.withdraw, name="withdraw"),
]
