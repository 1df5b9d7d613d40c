"""What strangers send is refused in one line of the log; what fails in the server keeps its traceback."""

import logging

from oversight.logs import Brief


def record(**extra: object) -> logging.LogRecord:
    error = ValueError("why")
    made = logging.LogRecord("django.security.X", logging.ERROR, "", 1, "said", (), (ValueError, error, None))
    vars(made).update(extra)
    Brief().filter(made)
    return made


def test_a_refused_request_is_one_line_and_no_error() -> None:
    refused = record(status_code=400)
    assert (refused.levelname, refused.exc_info) == ("WARNING", None)


def test_a_failed_request_and_everything_else_keep_their_traceback() -> None:
    for failed in (record(status_code=500), record()):
        assert failed.levelname == "ERROR"
        assert failed.exc_info is not None
