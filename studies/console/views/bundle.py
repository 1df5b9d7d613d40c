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
from studies.console.outcomes import latest
from studies.console.views.results import sealed
from studies.design.frozen import StudyChanged
from studies.design.models import Study
from studies.jobs.executor import on_reading_database
from studies.reports import computed, looks
from studies.reports.bundle import write_bundle
from studies.reports.folder import bundle_of

PIECE = 256 * 1024
NOT_KEPT = (
    "A look at the outcomes on the results page keeps the bundle of its moment, without the chats' texts, on the "
    "machine that computed it. Another one, also with texts, is a look too: manage.py export_study --look REASON."
)


@never_cache
@require_safe
async def bundle(request: HttpRequest, name: str, version: int) -> HttpResponseBase:
    """The zip; `?text=yes` adds what people and assistants wrote. While the study is open: that of its last look."""
    return await on_reading_database(_bundle, request, name, version)


@guarded
def _bundle(request: HttpRequest, name: str, version: int) -> HttpResponseBase:
    study = study_or_404(name, version)
    with_text = request.GET.get("text") == "yes"
    if study.state != Study.State.CLOSED:
        return _of_look(request, study, with_text=with_text)
    try:
        file, size = make(study, with_text=with_text)
    except StudyChanged as changed:
        return notice(request, title="There is no bundle of a study that was changed", text=str(changed), status=409)
    return _download(file, size, f"{study.name}-v{study.version}.zip")


def _of_look(request: HttpRequest, study: Study, *, with_text: bool) -> HttpResponseBase:
    """The bundle of an open study is that of its last look: newer rows need another one."""
    if not looks.may_show_outcomes(study):
        return sealed(request, study)
    run = latest(study).only("pk", "created_at").first()
    path = bundle_of(run) if run and not with_text else None
    if run is None or path is None:
        return notice(request, title=f"{study} is open: there is no such bundle", text=NOT_KEPT, status=404)
    name = f"{study.name}-v{study.version}-{run.created_at:%Y%m%d-%H%M}.zip"
    return _download(path.open("rb"), path.stat().st_size, name)


def _download(file: BinaryIO, size: int, name: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(size)}
    return StreamingHttpResponse(pieces(file), content_type="application/zip", headers=headers)


def make(study: Study, *, with_text: bool) -> tuple[BinaryIO, int]:
    """A closed study's bundle as an open file without a name, gone when it is closed, and its size.

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
