"""What participants post. Everything a browser can send is either understood or refused with a sentence."""

from collections.abc import Mapping
from typing import Any

from django import forms


class ConsentForm(forms.Form):
    """The consent form; `join_key` is its own, so that a double click takes one slot."""

    consent = forms.CharField(max_length=3, required=False)
    join_key = forms.UUIDField()


class CheckForm(forms.Form):
    """The check questions' page: an option for each, `check-1` and so on; what is missing the rules then say."""

    attempt = forms.IntegerField(min_value=1, max_value=100)
    command_id = forms.UUIDField()

    def __init__(self, data: Mapping[str, Any], questions: int) -> None:
        super().__init__(data)
        self._names = [f"check-{number}" for number in range(1, questions + 1)]
        for name in self._names:
            self.fields[name] = forms.IntegerField(min_value=0, max_value=100, required=False)

    def chosen(self) -> list[int | None]:
        """The 0-based option of each question, in the page's order."""
        return [self.cleaned_data[name] for name in self._names]


class OpenForm(forms.Form):
    position = forms.IntegerField(min_value=1, max_value=100_000)


class AnswerForm(forms.Form):
    """The answer without a socket; option and confidence may be missing, the rules then say so."""

    position = forms.IntegerField(min_value=1, max_value=100_000)
    command_id = forms.UUIDField()
    option = forms.IntegerField(min_value=0, max_value=100, required=False)
    confidence = forms.FloatField(min_value=0, max_value=1, required=False)


class WithdrawForm(forms.Form):
    """Which of its two buttons was pressed."""

    ERASE, KEEP = "erase", "keep"
    choice = forms.ChoiceField(choices=[(ERASE, "stop and erase"), (KEEP, "stop without erasing")])
