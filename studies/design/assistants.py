"""From an assistant's row to the backend that speaks for it."""

from studies.assistant.registry import AssistantConfig, make_backend
from studies.assistant.types import Backend
from studies.design.models import Assistant

_KNOWN = ("model", "base_url", "api_key_env", "max_tokens", "temperature", "top_p", "words_per_second", "timeouts")


def config_of(assistant: Assistant) -> AssistantConfig:
    """What the row says about the backend; what it leaves out has the backend's defaults."""
    known = {name: assistant.options[name] for name in _KNOWN if name in assistant.options}
    return AssistantConfig(backend=assistant.backend, **known)


def backend_of(assistant: Assistant) -> Backend:
    """A new backend for the assistant. Raises BackendError when its configuration cannot work here."""
    return make_backend(config_of(assistant))
