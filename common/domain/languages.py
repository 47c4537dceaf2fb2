"""The languages in which guests are written to: English, Dari, Pashto, Arabic, German and French.

They are those of INV-4. A document is drawn in the one that it was issued in; the message that it
comes with may be in any of them. A test holds them against the words that documents are drawn with.
"""

from typing import Final

from common.domain.refusal import Unmet

LANGUAGES: Final = frozenset({"ar", "de", "en", "fa", "fr", "ps"})


class LanguageNotWritten(Unmet):
    code = "LANGUAGE_NOT_WRITTEN"
    title = "Nothing is written in this language here"


def check_written(tag: str) -> None:
    """A BCP 47 tag, of which the language alone counts: `de-AT` is German.

    Refuses: LanguageNotWritten.
    """
    if tag.partition("-")[0].lower() not in LANGUAGES:
        raise LanguageNotWritten(known=sorted(LANGUAGES))
