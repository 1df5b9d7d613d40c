"""What people type on console pages, limited at the edge."""

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User

from studies.runtime.exclusions import REASON_MAX as REASON_MAX_OF_EXCLUSION
from studies.runtime.pauses import REASON_MAX as REASON_MAX_OF_PAUSE

REASON_MIN, REASON_MAX = 5, 500
SAMPLES_MAX = 1000


class StaffLoginForm(AuthenticationForm):
    """Name and password of a staff account."""

    error_messages = {
        "invalid_login": "This name and password do not belong together. Both are case-sensitive.",
        "inactive": "This account is switched off. Ask whoever runs this server.",
        "not_staff": "This account is not a staff account. Ask whoever runs this server to make it one.",
    }

    def confirm_login_allowed(self, user: User) -> None:
        super().confirm_login_allowed(user)
        if not user.is_staff:
            raise forms.ValidationError(self.error_messages["not_staff"], code="not_staff")


class PauseForm(forms.Form):
    """Why time shall stand still."""

    reason = forms.CharField(
        max_length=REASON_MAX_OF_PAUSE,
        error_messages={
            "required": "Please say why.",
            "max_length": f"Please say why in at most {REASON_MAX_OF_PAUSE} characters.",
        },
    )


class ExcludeForm(forms.Form):
    """By which rule somebody is left out."""

    reason = forms.CharField(
        max_length=REASON_MAX_OF_EXCLUSION,
        error_messages={
            "required": "Please say by which rule.",
            "max_length": f"Please name the rule in at most {REASON_MAX_OF_EXCLUSION} characters.",
        },
    )


class BaselineForm(forms.Form):
    """Which baseline to run; which names there are, the operation knows and says. Empty: what fits the assistant."""

    assistant_name = forms.CharField(error_messages={"required": "Please choose an assistant."})
    protocol = forms.CharField(required=False)
    samples = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=SAMPLES_MAX,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            f"Answers per question: use a whole number from 1 to {SAMPLES_MAX}, or leave it empty.",
        ),
    )
    scope = forms.CharField(error_messages={"required": "Please choose which questions."})
    scorer = forms.CharField(required=False)
    again = forms.BooleanField(required=False)


class LookForm(forms.Form):
    """Why somebody opens the outcomes of a study that still runs, and that they know what this does."""

    reason = forms.CharField(
        min_length=REASON_MIN,
        max_length=REASON_MAX,
        error_messages={
            "required": "Please say why you look now.",
            "min_length": f"Please say why in {REASON_MIN} characters or more.",
            "max_length": f"Please say why in at most {REASON_MAX} characters.",
        },
    )
    understood = forms.BooleanField(
        error_messages={"required": "Please tick the box: a look cannot be taken back."},
    )
