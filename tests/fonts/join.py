"""Make the Arabic fonts of documents from those that Noto publishes: `python -m tests.fonts.join`.

ReportLab draws the glyph that the font's cmap has for a code point, and knows no OpenType features.
Of the common letters of Arabic every joined form has a code point in Unicode; of Pashto's ten own
letters, and of those of most other languages, only the font's GSUB table knows it. So each form
that has no code point gets one here, in the block of ready-made ligatures, which nothing of ours
prints as such and whose class is AL, so that it turns lines as the letter does. The code points are
the same in every face. Lines get the height of Noto Sans, which stands beside it in every line; two
baselines would be seen in every row of a table. No glyph is changed.

The same font gives the same bytes: there is no date in them. What is written beside the fonts,
`joined.json`, says which code points are a letter's initial, medial and final form. An alef, which
stands in one glyph with the lam before it, has a final form that is seen by nobody: readers copy it
from behind the lam, and need not know how a glyph of two letters is read in which direction.
"""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from arabic_reshaper.letters import LETTERS_ARABIC
from fontTools.ttLib import TTFont

UPSTREAM = Path(__file__).with_name("upstream")
FONTS = Path(__file__).parents[2] / "common" / "documents" / "fonts"
FACES = ("Regular", "Bold")
ALEFS = "آأإا"
NOTHING_SEEN = 0x200B
FORMS = ("init", "medi", "fina")
HEIGHTS = {
    "hhea": ("ascent", "descent", "lineGap"),
    "OS/2": ("sTypoAscender", "sTypoDescender", "sTypoLineGap", "usWinAscent", "usWinDescent"),
}
# Arabic Presentation Forms-A, without what is a letter's form already and what is no character.
SLOTS = (*range(0xFC00, 0xFD3E), *range(0xFD50, 0xFD90), *range(0xFD92, 0xFDC8))

Letters = dict[str, list[str]]


def joined(face: str) -> tuple[TTFont, Letters]:
    """A face of Noto Sans Arabic with a code point for each form, and what each letter's are."""
    font = TTFont(UPSTREAM / f"NotoSansArabic-{face}.ttf", recalcTimestamp=False)
    tables = [table.cmap for table in font["cmap"].tables if table.isUnicode()]
    known = font.getBestCmap()
    forms = {feature: dict(_substitutions(font, feature)) for feature in FORMS}
    for table in tables:
        for slot in SLOTS:
            table.pop(slot, None)
    slots, letters = iter(SLOTS), Letters()
    for alef in ALEFS:
        letters[alef] = ["", "", "", chr(slot := next(slots))]
        for table in tables:
            table[slot] = known[NOTHING_SEEN]
    for letter in _letters_without_forms(known, forms):
        glyphs = [forms[feature].get(known[ord(letter)]) for feature in FORMS]
        places = [next(slots) if glyph else None for glyph in glyphs]
        for table in tables:
            table.update(dict(_of_both(places, glyphs)))
        letters[letter] = [letter, *(chr(place) if place else "" for place in places)]
    _set_height(font)
    _rename(font, face)
    return font, letters


def write(folder: Path) -> None:
    """Write both faces and the table of forms into a folder."""
    tables = []
    for face in FACES:
        font, letters = joined(face)
        font.save(folder / f"NotoSansArabicJoined-{face}.ttf")
        tables.append(letters)
    if any(table != tables[0] for table in tables):
        raise ValueError("the faces join different letters")
    text = json.dumps(tables[0], ensure_ascii=True, indent=0)
    (folder / "joined.json").write_text(f"{text}\n", encoding="ascii")


def _letters_without_forms(
    known: Mapping[int, str], forms: Mapping[str, Mapping[str, str]]
) -> Iterator[str]:
    for code_point in sorted(known):
        letter = chr(code_point)
        is_letter = unicodedata.category(letter) == "Lo" and code_point < 0xFB50
        joins = any(known[code_point] in by_glyph for by_glyph in forms.values())
        if is_letter and joins and letter not in LETTERS_ARABIC:
            yield letter


def _substitutions(font: TTFont, feature: str) -> Iterator[tuple[str, str]]:
    """The one-to-one substitutions of a feature: glyph by glyph."""
    table: Any = font["GSUB"].table
    records = [each for each in table.FeatureList.FeatureRecord if each.FeatureTag == feature]
    for index in (index for record in records for index in record.Feature.LookupListIndex):
        for subtable in table.LookupList.Lookup[index].SubTable:
            yield from getattr(getattr(subtable, "ExtSubTable", subtable), "mapping", {}).items()


def _of_both(places: list[int | None], glyphs: list[str | None]) -> Iterator[tuple[int, str]]:
    for place, glyph in zip(places, glyphs, strict=True):
        if place is not None and glyph is not None:
            yield place, glyph


def _set_height(font: TTFont) -> None:
    latin = TTFont(FONTS / "NotoSans-Regular.ttf")
    for table, names in HEIGHTS.items():
        for name in names:
            setattr(font[table], name, getattr(latin[table], name))


def _rename(font: TTFont, face: str) -> None:
    """Say that this is not the font that Noto publishes."""
    for record in font["name"].names:
        if record.nameID in (1, 4):
            renamed = record.toUnicode().replace("Noto Sans Arabic", "Noto Sans Arabic Joined")
            record.string = renamed
        elif record.nameID == 6:
            record.string = f"NotoSansArabicJoined-{face}"


if __name__ == "__main__":
    write(FONTS)
