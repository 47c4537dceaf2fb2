"""Joined letters for a renderer that draws a glyph for each code point and knows no OpenType.

Dari, Pashto and Arabic join their letters. xhtml2pdf joins those of Arabic and Persian and leaves
Pashto's own letters alone, and their neighbours with them; it draws a zero-width non-joiner as a
bar, loses the hamza of an ezafe, and writes joined forms into the text that is searched and copied.
While `letters_joined` lasts all of that is right: the forms come from `fonts/joined.json`, which is
made together with the font (`tests/fonts/join.py`), and a test holds each glyph against HarfBuzz.

Vowel marks, which nobody needs to read any of these languages, are not drawn: a renderer without
GPOS would set them into the letters.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from common.domain.dataclass import dataclass

JOINED_FORMS = Path(__file__).with_name("fonts") / "joined.json"
LATIN_DIGITS = "0123456789"

# Letters that somebody typed in the shape of one place: the same letters, to be shaped anew.
_READY_MADE = re.compile("[\ufb50-\ufdff\ufe70-\ufefc]+")
# A hamza above that Unicode composes with no letter, on a letter that fonts have with it.
_EZAFE = {"\u0647\u0654": "\u06c0", "\u06cc\u0654": "\u0626"}
_EZAFE_LETTERS = re.compile("|".join(_EZAFE))
# Lam and alef in one glyph. The alef follows as a form that nobody sees, to be found and copied.
_LAM_ALEF = re.compile("[\ufef5-\ufefc]")
_JOINERS = re.compile("[\u200c\u200d]")
_CMAP_ROWS = 100  # the most that a block of a ToUnicode CMap may have


@dataclass(frozen=True)
class Script:
    """How a page writes: in joined letters where it has any, its pages counted in `digits`."""

    digits: str = LATIN_DIGITS


def joined(text: str) -> str:
    """The text with each letter in its joined form, in the order in which it was typed."""
    shaped = _reshaper().reshape(_composed(text))
    return _JOINERS.sub("", _LAM_ALEF.sub(lambda found: found[0] + _alef_in(found[0]), shaped))


def base_letters(code_point: int) -> str:
    """The letter that a joined form stands for; of lam and alef in one glyph it is lam."""
    letter = _letters_by_form().get(code_point)
    if letter or not _READY_MADE.fullmatch(chr(code_point)):
        return letter or chr(code_point)
    return unicodedata.normalize("NFKC", chr(code_point))[0]


@contextmanager
def letters_joined(script: Script) -> Iterator[None]:
    """While it lasts, the renderer joins letters and counts in digits; for one thread at a time."""
    from reportlab.pdfbase import ttfonts
    from xhtml2pdf import util
    from xhtml2pdf.xhtml2pdf_reportlab import PmlPageTemplate

    draw_frame = PmlPageTemplate._drawStaticFrame
    ours: Sequence[tuple[Any, str, Callable[..., Any]]] = (
        (util, "_reshape_for", lambda text, _font_name: joined(text)),
        (ttfonts, "makeToUnicodeCMap", _to_unicode),
        (PmlPageTemplate, "_drawStaticFrame", _counting_in(script.digits, draw_frame)),
    )
    theirs = [getattr(owner, name) for owner, name, _ in ours]
    for owner, name, our in ours:
        setattr(owner, name, our)
    try:
        yield
    finally:
        for (owner, name, _), their in zip(ours, theirs, strict=True):
            setattr(owner, name, their)


def _alef_in(lam_alef: str) -> str:
    return _forms()[unicodedata.normalize("NFKC", lam_alef)[1]][-1]


def _composed(text: str) -> str:
    plain = _READY_MADE.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    composed = unicodedata.normalize("NFC", plain)
    return _EZAFE_LETTERS.sub(lambda found: _EZAFE[found[0]], composed)


def _counting_in(digits: str, draw_frame: Callable[..., None]) -> Callable[..., None]:
    """Draw a footer with its page numbers in these digits."""
    of_the_language = str.maketrans(LATIN_DIGITS, digits)

    def drawn(template: Any, frame: Any, canvas: Any, renumber: Callable[[Any], None]) -> None:
        def renumbered(story: Any) -> None:
            renumber(story)
            for fragment in _fragments(story):
                if fragment.pageNumber or fragment.pageCount:
                    fragment.text = fragment.text.translate(of_the_language)

        draw_frame(template, frame, canvas, renumbered)

    return drawn


def _fragments(part: Any) -> Iterator[Any]:
    """The pieces of text in paragraphs, in tables and in lists of them."""
    if isinstance(part, list | tuple):
        for inner in part:
            yield from _fragments(inner)
    else:
        yield from getattr(part, "frags", ())
        yield from _fragments(getattr(part, "_cellvalues", ()))


def _to_unicode(font_name: str, subset: Sequence[int]) -> str:
    """The CMap by which a reader finds and copies text: base letters, in blocks of legal size."""
    rows = [
        f"<{code:02X}> <{base_letters(code_point).encode('utf-16-be').hex().upper()}>"
        for code, code_point in enumerate(subset)
    ]
    blocks = [rows[start : start + _CMAP_ROWS] for start in range(0, len(rows), _CMAP_ROWS)]
    lines = [
        "/CIDInit /ProcSet findresource begin",
        "12 dict begin",
        "begincmap",
        "/CIDSystemInfo",
        f"<< /Registry ({font_name})",
        f"/Ordering ({font_name})",
        "/Supplement 0",
        ">> def",
        f"/CMapName /{font_name} def",
        "/CMapType 2 def",
        "1 begincodespacerange",
        f"<00> <{len(subset) - 1:02X}>",
        "endcodespacerange",
    ]
    for block in blocks:
        lines += [f"{len(block)} beginbfchar", *block, "endbfchar"]
    lines += ["endcmap", "CMapName currentdict /CMap defineresource pop", "end", "end"]
    return "\n".join(lines)


@cache
def _forms() -> Mapping[str, tuple[str, ...]]:
    """Letter by letter: isolated, initial, medial and final, empty where there is none."""
    table: dict[str, list[str]] = json.loads(JOINED_FORMS.read_text(encoding="ascii"))
    return {letter: tuple(forms) for letter, forms in table.items()}


@cache
def _letters_by_form() -> Mapping[int, str]:
    return {ord(form): letter for letter, forms in _forms().items() for form in forms[1:] if form}


@cache
def _reshaper() -> Any:
    from arabic_reshaper import ArabicReshaper
    from arabic_reshaper.letters import LETTERS_ARABIC

    reshaper = ArabicReshaper({"ARABIC LIGATURE ALLAH": False})
    further = {letter: forms for letter, forms in _forms().items() if forms[0]}
    reshaper.letters = {**LETTERS_ARABIC, **further}
    return reshaper
