"""Django's admin, read-only, for staff who want to see rows; outcomes stay hidden as long as on the results page."""

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.db import models
from django.http import HttpRequest

if TYPE_CHECKING:
    Base = admin.ModelAdmin[models.Model]
else:
    Base = admin.ModelAdmin  # generic for the type checker only
FILTERS = ("study", "state", "stage", "kind", "backend", "assistance", "task", "split")


def columns(model: type[models.Model]) -> list[str]:
    """The row's number and its short fields: what a list shows without a query for each row."""
    short = (models.CharField, models.IntegerField, models.BooleanField, models.DateTimeField)
    names = [field.name for field in model._meta.fields if isinstance(field, short) and not field.primary_key]
    return ["pk", *names[:8]]


class ReadOnly(Base):
    """Every staff account may look, nobody may change: changes go through operations, which keep the log."""

    list_per_page = 50
    show_full_result_count = False
    hidden: tuple[str, ...] = ()

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [name for name in columns(self.model) if name not in self.hidden]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [field.name for field in self.model._meta.fields if field.name in FILTERS]

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.hidden

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup.split("__")[0] not in self.hidden and super().lookup_allowed(lookup, value, request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_active and request.user.is_staff

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SessionRows(ReadOnly):
    """Without what a participant's cookie is made from."""

    hidden = ("token_nonce", "token_hash")


class TrialRows(ReadOnly):
    """Without answers: the results page shows outcomes, and logs who looked."""

    hidden = ("answer", "confidence", "draft_option", "draft_confidence")


class EventRows(ReadOnly):
    """Without the data, which can name the option that was chosen."""

    hidden = ("data", "salt")


class SurveyRows(ReadOnly):
    """Without what was answered: the results page shows it, and logs who looked."""

    hidden = ("number", "option", "text")


class AnalysisRows(ReadOnly):
    """Without what was computed: the results page shows it."""

    hidden = ("results", "fragment", "report")


class IdentityRows(ReadOnly):
    """Who a participant is elsewhere: for superusers only. Staff have one study's on its page People and payment."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and bool(getattr(request.user, "is_superuser", False))


SPECIAL: dict[str, type[ReadOnly]] = {
    "ParticipantSession": SessionRows,
    "Trial": TrialRows,
    "Event": EventRows,
    "SurveyAnswer": SurveyRows,
    "AnalysisRun": AnalysisRows,
    "ParticipantIdentity": IdentityRows,
}
for model in apps.get_app_config("studies").get_models():
    admin.site.register(model, SPECIAL.get(model.__name__, ReadOnly))
admin.site.site_header = "Oversight: all rows, read-only"
admin.site.site_title = "Oversight rows"
admin.site.index_title = "Rows"
admin.site.site_url = "/console/"
