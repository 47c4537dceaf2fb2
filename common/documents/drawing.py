"""From a finished HTML page to PDF bytes: strict, closed off from the world, and repeatable.

xhtml2pdf is lenient where an invoice cannot be: a name that no font can draw comes out blank, and a
picture that is refused is left out, with nothing but a line in a log. Here every warning of it ends
the render. It also reads any file below its working directory and fetches from the network unless
told otherwise: here it reads the fonts beside this module and nothing else.

The same page gives the same bytes in every process, given the same versions of the libraries. The
library draws one document at a time in a process, so more speed is more processes, not threads.
"""

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from io import BytesIO
from pathlib import Path

from common.documents.joining import Script, letters_joined

FONTS = Path(__file__).with_name("fonts")
MAX_RENDER_SECONDS = 100  # a thousand lines from right to left are 16 s of a whole processor
MAX_PAGE_BYTES = 4 * 2**20

_ONE_AT_A_TIME = threading.Lock()
_CODE_POINT = re.compile(r"\(U\+([0-9A-F]{4,6})\)")


class RenderingFailed(Exception):
    """The document could not be drawn whole; drawn in part, it would have been a false one.

    The message is for an operator and names no guest: complaints are told by their kind, characters
    by their code point.
    """


class GlyphMissing(RenderingFailed):
    """Nothing is wrong with the page, but no font can draw a sign that somebody wrote."""


def draw(html: str, script: Script | None = None) -> bytes:
    """The page as a PDF. Raises `RenderingFailed` for anything that would be lost from it.

    Without a script it is drawn as before there was one, for the template versions of that time.
    """
    from reportlab import rl_config
    from xhtml2pdf import pisa
    from xhtml2pdf.config.resources import ResourceAccessPolicy

    only_fonts = ResourceAccessPolicy.server(
        FONTS,
        allow_remote=False,
        max_render_seconds=MAX_RENDER_SECONDS,
        max_document_bytes=MAX_PAGE_BYTES,
    )
    pdf = BytesIO()
    joining = letters_joined(script) if script else nullcontext()
    with _ONE_AT_A_TIME, _complaints() as complaints, joining:
        rl_config.invariant = 1  # no clock and no chance in the bytes
        try:
            outcome = pisa.CreatePDF(html, pdf, path=f"{FONTS}/page", resource_policy=only_fonts)
        except Exception as failure:  # noqa: BLE001 - no document came out
            raise RenderingFailed(type(failure).__name__) from None
    if complaints or outcome.err:
        raise _failure(complaints, outcome.err)
    return pdf.getvalue()


class _Complaints(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def _complaints() -> Iterator[list[logging.LogRecord]]:
    """Collect what the library complains of, instead of logging it: it quotes from the page."""
    library, heard = logging.getLogger("xhtml2pdf"), _Complaints()
    propagated = library.propagate
    library.addHandler(heard)
    library.propagate = False
    try:
        yield heard.records
    finally:
        library.removeHandler(heard)
        library.propagate = propagated


def _failure(complaints: list[logging.LogRecord], errors: int) -> RenderingFailed:
    glyphs_only = all(_CODE_POINT.search(each.getMessage()) for each in complaints)
    kind = GlyphMissing if complaints and glyphs_only and not errors else RenderingFailed
    return kind(_told(complaints))


def _told(complaints: list[logging.LogRecord]) -> str:
    """Each complaint once: a missing glyph as its code point, another by its first line."""
    told = set()
    for complaint in complaints:
        message = complaint.getMessage()
        glyph = _CODE_POINT.search(message)
        told.add(f"no glyph for U+{glyph[1]}" if glyph else message.partition("\n")[0][:160])
    return "; ".join(sorted(told)) or "errors without a complaint"
