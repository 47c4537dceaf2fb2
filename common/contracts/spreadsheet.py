"""Tables for spreadsheets: CSV by RFC 4180, in UTF-8 with its mark, in which no text is a formula.

A spreadsheet runs what begins with `=`, `+`, `-`, `@` and some others, and a name that a guest
chose is put into it. So each text that could be read as a formula gets an apostrophe, which a
spreadsheet shows as text and a program strips by rule. Blanks before the sign do not help the
guest, nor does a semicolon or a line break within the text, behind which a spreadsheet of another
country begins a cell of its own. Figures are ours: they stay figures, a minus included.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

MARK: Final = b"\xef\xbb\xbf"
"""Without it, a spreadsheet takes names in Dari for the letters of another country."""

_BLANK: Final = r"[\s\u00a0\u200b-\u200f\u2060\ufeff]*"
_FORMULA: Final = re.compile(
    rf"(^|[;\t\r\n\u2028\u2029]){_BLANK}(?=[=+\-@|%\uff1d\uff0b\uff0d\uff20])"
)


def row(cells: Sequence[str | int | Decimal | None]) -> bytes:
    """A line with its line break: texts in quotes, figures without."""
    return (",".join(_written(cell) for cell in cells) + "\r\n").encode()


def _written(cell: str | int | Decimal | None) -> str:
    match cell:
        case None:
            return ""
        case str():
            return '"' + harmless(cell).replace('"', '""') + '"'
        case Decimal():
            return format(cell, "f")
        case _:
            return str(cell)


def harmless(text: str) -> str:
    """The text, with an apostrophe before each sign that would begin a formula."""
    return _FORMULA.sub(lambda found: f"{found[0]}'", text)
