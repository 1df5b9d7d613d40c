"""What the `openai` client raises → our closed set of error codes, with a sentence for the operator."""

from __future__ import annotations

import openai

from studies.assistant.types import BackendError, ErrorCode

_OF_STATUS = {
    404: ErrorCode.REFUSED,
    405: ErrorCode.UNSUPPORTED,
    408: ErrorCode.TIMEOUT,
    413: ErrorCode.CAPACITY,
    429: ErrorCode.RATE_LIMITED,
    501: ErrorCode.UNSUPPORTED,
    502: ErrorCode.UNREACHABLE,
    503: ErrorCode.UNREACHABLE,
    504: ErrorCode.TIMEOUT,
}
_OF_NAME = {code.value: code for code in ErrorCode} | {
    "context_length_exceeded": ErrorCode.CAPACITY,
    "rate_limit_exceeded": ErrorCode.RATE_LIMITED,
    "insufficient_quota": ErrorCode.REFUSED,  # waiting does not help
}


def typed(error: openai.APIError, address: str, api_key: str) -> BackendError:
    """The error by its own name where it has one that we know, otherwise by its HTTP status. The key is cut out."""
    if isinstance(error, openai.APIConnectionError):
        cause = error.__cause__
        why = type(cause).__name__ if cause is not None else "no connection"
        return BackendError(ErrorCode.UNREACHABLE, f"{address} cannot be reached or went away ({why}); is it running?")
    message = error.message.replace(api_key, "…") if api_key else error.message
    sentence = f"{address}: {' '.join(message.split())[:300]}"
    if isinstance(error, openai.APIResponseValidationError):
        return bad_response(sentence)
    if isinstance(error, openai.APIStatusError):
        status = error.status_code
        by_status = _OF_STATUS.get(status, ErrorCode.INTERNAL if status >= 500 else ErrorCode.REFUSED)
        return BackendError(_OF_NAME.get(str(error.code), by_status), sentence)
    # An error inside a stream has a body and no status.
    return BackendError(_OF_NAME.get(str(error.code), ErrorCode.INTERNAL), sentence)


def bad_response(sentence: str) -> BackendError:
    return BackendError(ErrorCode.BAD_RESPONSE, sentence)
