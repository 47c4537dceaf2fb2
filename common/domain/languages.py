"""The languages that a document, and what is written about it, can be in.

They are those that documents are drawn in: a guest who is written to in a language gets a paper
that could be in it as well. A test holds them against the words that are there.
"""

from typing import Final

from common.domain.refusal import Unmet

LANGUAGES: Final = frozenset({"de", "en", "fr"})


class LanguageNotWritten(Unmet):
    code = "LANGUAGE_NOT_WRITTEN"
    title = "Nothing is written in this language here"


def check_written(tag: str) -> None:
    """A BCP 47 tag, of which the language alone counts: `de-AT` is German.

    Refuses: LanguageNotWritten.
    """
    if tag.partition("-")[0].lower() not in LANGUAGES:
        raise LanguageNotWritten(known=sorted(LANGUAGES))
