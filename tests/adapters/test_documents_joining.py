"""Pages from right to left: letters joined as HarfBuzz joins them, and found again as they were."""

import random
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import uharfbuzz
from fontTools.ttLib import TTFont
from pypdfium2 import PdfDocument

from common.documents import arabic, dari, pashto, solar_hijri
from common.documents.drawing import FONTS, GlyphMissing
from common.documents.joining import joined
from common.documents.localised import Localised
from common.domain.money import Currency
from tests.adapters.test_documents_sample import (
    copied,
    invoice,
    night,
    personal,
    rendered,
    without_spaces,
)
from tests.fonts.join import FACES, UPSTREAM, write

LANGUAGES = {"fa-AF": dari, "ps-AF": pashto, "ar": arabic}
# Dari, Pashto and Arabic; and what Urdu, Uzbek and Turkmen names in Afghanistan are written with.
LETTERS = "ابپتټثجچځڅحخدډذرړزژږسشښصضطظعغفقکګكگلمنڼوۇۋهھہۀیېۍئيىےآأإةؤءٹڈڑڭ"
TYPED = ("الله", "میں", "لإسلام", "هٔ", "خانهٔ", "میوه\u200cها", "صورت\u200cحساب", "ۍ")


def words_of(part: object) -> Iterator[str]:
    """Every word in joined letters that a table of words holds."""
    if isinstance(part, str):
        yield from re.findall("[\u0620-\u06d3\u200c]+", part)
    elif isinstance(part, dict | tuple):
        for inner in part.values() if isinstance(part, dict) else part:
            yield from words_of(inner)
    elif is_dataclass(part) and not isinstance(part, type):
        for each in fields(part):
            yield from words_of(getattr(part, each.name))


def our_words() -> set[str]:
    """What our documents say, CLDR's part included, and words that no one chose."""
    tables = [vars(module) for module in LANGUAGES.values()]
    cldr = [Localised.into(language).locale for language in LANGUAGES]
    names = [(*locale.territories.values(), *locale.currencies.values()) for locale in cldr]
    months = [tuple(locale.months["format"]["wide"].values()) for locale in cldr]
    chance = random.Random(1404)
    made_up = ("".join(chance.choices(LETTERS, k=chance.randint(2, 8))) for _ in range(3000))
    found = {word for part in (*tables, *names, *months) for word in words_of(part)}
    return found | set(made_up) | set(TYPED)


class Face:
    """A font, and the pictures that it has."""

    def __init__(self, path: Path) -> None:
        font = TTFont(path)
        self.glyphs, self.widths = font["glyf"], font["hmtx"]
        self.by_character, self.names = font.getBestCmap(), font.getGlyphOrder()
        self.shaper = uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(path))))

    def drawn(self, word: str) -> list[Any]:
        """The pictures that our renderer sets, from left to right."""
        return self._pictures([self.by_character[ord(each)] for each in joined(word)[::-1]])

    def shaped(self, word: str) -> list[Any]:
        """The pictures that HarfBuzz sets, by all rules of the font."""
        buffer = uharfbuzz.Buffer()
        buffer.add_str(word.replace("ه\u0654", "ۀ"))
        buffer.guess_segment_properties()
        uharfbuzz.shape(self.shaper, buffer, {})
        placed = zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
        return self._pictures([self.names[info.codepoint] for info, at in placed if at.x_advance])

    def _pictures(self, names: list[str]) -> list[Any]:
        return [
            (tuple(self.glyphs[name].getCoordinates(self.glyphs)[0]), self.widths[name][0])
            for name in names
            if self.widths[name][0]
        ]


@pytest.mark.req("INV-4")
def test_the_fonts_are_those_that_the_tool_makes_of_notos(tmp_path: Path) -> None:
    write(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {
        "NotoSansArabicJoined-Bold.ttf",
        "NotoSansArabicJoined-Regular.ttf",
        "joined.json",
    }
    for made in tmp_path.iterdir():
        assert made.read_bytes() == (FONTS / made.name).read_bytes()
    assert len(list(UPSTREAM.glob("*.ttf"))) == len(FACES)


@pytest.mark.req("INV-4")
@pytest.mark.parametrize("face", FACES)
def test_draws_each_word_as_harfbuzz_does(face: str) -> None:
    """Lam and alef maksura at the end are one glyph to HarfBuzz and two to us, and read alike."""
    font = Face(FONTS / f"NotoSansArabicJoined-{face}.ttf")
    words = {word for word in our_words() if "لى" not in word}

    other = [word for word in sorted(words) if font.drawn(word) != font.shaped(word)]

    assert len(words) > 3500
    assert other == []


@pytest.mark.req("INV-4")
def test_letters_that_were_typed_in_a_joined_form_are_shaped_anew() -> None:
    """Those code points are free for the forms that have none: a tah before a meem is no ښ."""
    assert joined("\ufee3\ufeee\ufef3") == joined("موي")
    assert joined("\ufc32") == joined("في")


@pytest.mark.req("INV-4")
@pytest.mark.parametrize("language", LANGUAGES)
def test_is_copied_and_searched_in_the_letters_and_the_order_that_were_written(
    language: str,
) -> None:
    name = "ښاغلی ګل\u200cځمری لاروي، لال آقا"
    words = Localised.into(language).words

    [page] = copied(rendered(person=personal(name=name), language=language))

    spoken = (words.invoice, words.bill_to, words.taxes, words.balance_due, words.verify_detail)
    for text in (name, words.methods["card"], *spoken):
        assert without_spaces(text.replace("\u200c", "")) in without_spaces(page)
    assert not re.search("[\ufb50-\ufdff\ufe70-\ufeff]", page)


@pytest.mark.req("INV-4", "INV-9")
@pytest.mark.parametrize(
    ("language", "first", "second"),
    [("fa-AF", "صفحه ۱ از ۳", "صفحه ۲ از ۳"), ("ar", "صفحة 1 من 3", "صفحة 2 من 3")],
)
def test_counts_pages_in_the_digits_of_the_language_and_repeats_the_heads(
    language: str, first: str, second: str
) -> None:
    lines = [{**night(1), "description": f"Room {room}"} for room in range(1, 71)]

    printed = copied(rendered(invoice(lines=lines), language=language))

    assert [first in printed[0], second in printed[1], len(printed)] == [True, True, 3]
    head = Localised.into(language).words.description
    assert [head in page for page in printed] == ["Room" in page for page in printed]


@pytest.mark.req("INV-4")
def test_runs_from_right_to_left() -> None:
    """The columns of a table change sides, on a page that is 595 points wide."""

    def left(language: str, word: str) -> float:
        text = PdfDocument(rendered(language=language))[0].get_textpage()
        place, _ = text.search(word).get_next()
        return float(text.get_charbox(place)[0])

    assert left("en", "Description") < 150
    assert left("en", "Unit price") > 300
    assert left("fa-AF", "تفصیلات") > 450
    assert left("fa-AF", "قیمت") < 300


@pytest.mark.req("INV-4")
def test_a_name_from_left_to_right_turns_nothing_beside_it() -> None:
    def lines_without(name: str) -> list[str]:
        [page] = copied(rendered(person=personal(name=name), language="fa-AF"))
        return [line for line in page.splitlines() if name not in line]

    assert lines_without("ACME (12) Ltd.") == lines_without("ZZZZ")


@pytest.mark.req("INV-4")
def test_controls_of_direction_in_a_name_change_no_byte() -> None:
    typed, plain = "احمد\u202e 00.1\u2066", "احمد 00.1"

    turned = rendered(person=personal(name=typed), language="fa-AF")

    assert turned == rendered(person=personal(name=plain), language="fa-AF")


@pytest.mark.req("INV-4")
def test_fails_when_no_font_can_draw_a_name_beside_joined_letters() -> None:
    with pytest.raises(GlyphMissing, match=r"U\+5BA2"):
        rendered(person=personal(name="احمد 客"), language="fa-AF")


@pytest.mark.req("INV-4")
def test_prints_an_arabic_name_in_an_english_invoice_and_the_first_version_refuses_it() -> None:
    person = personal(name="احمد ظاهر")

    [page] = copied(rendered(person=person))

    assert "احمد ظاهر" in page
    with pytest.raises(GlyphMissing):
        rendered(person=person, template_version="invoice-1")


@pytest.mark.req("INV-9")
@pytest.mark.parametrize(
    ("day", "dari", "pashto"),
    [
        (date(2025, 3, 20), "۳۰ حوت ۱۴۰۳", "۳۰ کب ۱۴۰۳"),  # 1403 was a leap year
        (date(2025, 3, 21), "۱ حمل ۱۴۰۴", "۱ وری ۱۴۰۴"),
        (date(2026, 3, 1), "۱۰ حوت ۱۴۰۴", "۱۰ کب ۱۴۰۴"),
        (date(2026, 3, 20), "۲۹ حوت ۱۴۰۴", "۲۹ کب ۱۴۰۴"),
        (date(2026, 9, 22), "۳۱ سنبله ۱۴۰۵", "۳۱ وږی ۱۴۰۵"),
    ],
)
def test_dates_a_day_by_the_year_of_afghanistan_and_by_the_other(
    day: date, dari: str, pashto: str
) -> None:
    in_dari, in_pashto = Localised.into("fa-AF"), Localised.into("ps-AF")

    assert in_dari.long_day(day).startswith(f"\u2068{dari} (")
    assert in_pashto.long_day(day).startswith(f"\u2068{pashto} (")
    assert str(day.year).translate(str.maketrans("0256", "۰۲۵۶")) in in_dari.long_day(day)


@pytest.mark.req("INV-9")
def test_prints_the_solar_day_alone_in_columns_and_both_calendars_in_full() -> None:
    here = Localised.into("fa-AF")

    assert here.day(date(2026, 3, 1)) == "\u2068۱۴۰۴/۱۲/۱۰\u2069"
    assert here.long_day(date(2026, 3, 1)) == "\u2068۱۰ حوت ۱۴۰۴ (۱ مارچ ۲۰۲۶)\u2069"
    assert "ar" not in solar_hijri.MONTHS
    assert Localised.into("ar").day(date(2026, 3, 1)) == "\u20681 مارس 2026\u2069"


@pytest.mark.req("INV-9", "MON-2")
@pytest.mark.parametrize(
    ("language", "amount", "money", "percentage"),
    [
        ("fa-AF", "-۱٬۲۳۴٫۵۰", "AFN ۱٬۲۳۴٫۵۰", "۷٫۲۵٪"),
        ("ps-AF", "-۱٬۲۳۴٫۵۰", "AFN ۱٬۲۳۴٫۵۰", "۷٫۲۵٪"),
        ("ar", "-1,234.50", "1,234.50 AFN", "7.25%"),
        ("ar-EG", "-١٬٢٣٤٫٥٠", "١٬٢٣٤٫٥٠ AFN", "٧٫٢٥٪"),
    ],
)
def test_counts_in_the_languages_digits_with_the_decimals_of_iso_4217(
    language: str, amount: str, money: str, percentage: str
) -> None:
    here, afghani = Localised.into(language), Currency("AFN")

    assert here.amount(-1_234_500_000, afghani) == f"\u2068{amount}\u2069"
    assert here.money(1_234_500_000, afghani).replace("\u00a0", " ") == f"\u2068{money}\u2069"
    assert here.percentage(72_500) == f"\u2068{percentage}\u2069"
