"""What the log says of requests that were refused: one line, without a traceback, and no error of ours."""

import logging


class Brief(logging.Filter):
    """Whoever sends rubbish must not fill the log: Django marks such records with the status that was answered."""

    def filter(self, record: logging.LogRecord) -> bool:
        if 400 <= getattr(record, "status_code", 500) < 500:
            record.exc_info, record.exc_text = None, None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True
