"""Text from people, made safe to print among figures.

A guest may be called anything, but a name must not change what stands beside it: one U+202E in a
name prints "Total 1.00" as "Total 100.00". So controls of direction and other invisible controls
are taken out, and a text which runs the other way than its page is shut into an isolate
(UAX #9, FSI ... PDI), where it turns nothing but itself. Markup is no matter here: templates
escape it.
"""

import re
import unicodedata

from common.documents.vocabulary import Direction

# Format characters that spell: without them Persian words join where they must not.
_SPELLING = frozenset("\u200c\u200d")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co"})
_SPACE = re.compile(r"\s+")
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
# U+2212 is the minus of CLDR and of typists, which Noto Sans cannot draw.
_TYPED_ALIKE = str.maketrans({"\u2212": "-"})
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"


def visible(text: str) -> str:
    """The text without characters that cannot be seen; spaces of any kind stay."""
    return "".join(character for character in text if _is_seen(character)).translate(_TYPED_ALIKE)


def legible(text: str) -> str:
    """One line of composed text: what a person typed, as it may be printed. May come out empty."""
    return unicodedata.normalize("NFC", _SPACE.sub(" ", visible(text)).strip())


def isolated(text: str, page: Direction) -> str:
    """Legible text in an isolate where page and text may differ in direction."""
    turns = any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in text)
    if not text or (page == "ltr" and not turns):
        return text
    return f"{_FIRST_STRONG_ISOLATE}{text}{_POP_ISOLATE}"


def _is_seen(character: str) -> bool:
    return (
        character.isspace()
        or character in _SPELLING
        or unicodedata.category(character) not in _UNSEEN
    )
