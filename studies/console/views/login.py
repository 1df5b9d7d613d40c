"""In and out of the console."""

from typing import Any

from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from studies.console.forms import StaffLoginForm
from studies.console.guard import is_staff
from studies.jobs.executor import database_view


class Login(LoginView):
    """Django's own login with a form that only staff passes."""

    template_name = "console/login.html"
    authentication_form = StaffLoginForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "GET" and is_staff(request):
            return redirect(self.get_success_url())
        return super().dispatch(request, *args, **kwargs)


login = database_view(Login.as_view())
logout = database_view(LogoutView.as_view())
