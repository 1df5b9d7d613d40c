"""What participants post. Everything a browser can send is either understood or refused with a sentence."""

from django import forms


class OpenForm(forms.Form):
    position = forms.IntegerField(min_value=1, max_value=100_000)


class AnswerForm(forms.Form):
    """The answer without a socket; option and confidence may be missing, the rules then say so."""

    position = forms.IntegerField(min_value=1, max_value=100_000)
    submit_id = forms.UUIDField()
    option = forms.IntegerField(min_value=0, max_value=100, required=False)
    confidence = forms.FloatField(min_value=0, max_value=1, required=False)
