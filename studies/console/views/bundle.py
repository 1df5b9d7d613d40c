"""The download of a study's bundle: made on the threads for long reads, sent in pieces, kept nowhere."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from studies.console.find import study_or_404
from studies.console.guard import guarded, notice
from studies.console.views.results import sealed
from studies.design.frozen import StudyChanged
from studies.design.models import Study
from studies.jobs.executor import on_reading_database
from studies.reports import computed
from studies.reports.bundle import write_bundle
from studies.reports.looks import OutcomesSealed

PIECE = 256 * 1024


@never_cache
@require_safe
async def bundle(request: HttpRequest, name: str, version: int) -> HttpResponseBase:
    """The zip; `?text=yes` adds what people and assistants wrote."""
    return await on_reading_database(_bundle, request, name, version)


@guarded
def _bundle(request: HttpRequest, name: str, version: int) -> HttpResponseBase:
    study = study_or_404(name, version)
    try:
        file, size = make(study, with_text=request.GET.get("text") == "yes")
    except OutcomesSealed:
        return sealed(request, study)
    except StudyChanged as changed:
        return notice(request, title="There is no bundle of a study that was changed", text=str(changed), status=409)
    headers = {
        "Content-Disposition": f'attachment; filename="{study.name}-v{study.version}.zip"',
        "Content-Length": str(size),
    }
    return StreamingHttpResponse(pieces(file), content_type="application/zip", headers=headers)


def make(study: Study, *, with_text: bool) -> tuple[BinaryIO, int]:
    """The bundle as an open file without a name, gone when it is closed, and its size. Raises OutcomesSealed.

    The results in it are those of the newest analysis, where it read the same tables; none are computed here.
    """
    with tempfile.TemporaryDirectory(prefix="oversight-bundle-") as folder:
        path = write_bundle(study, Path(folder) / "bundle.zip", with_text=with_text, compute=computed.stored)
        return path.open("rb"), path.stat().st_size


async def pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    """The file's content, read outside the event loop."""
    with file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece
