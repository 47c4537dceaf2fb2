"""Card numbers are found however they are written, and what a hotel writes otherwise is let pass.

The numbers are test numbers, of no account. Where a figure was worked out, the docstring shows how.
"""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.domain.card_data import CardDataFound, at, find_card_number, scan

NUMBERS = {
    "Visa": "4111111111111111",
    "Visa of 13 digits": "4222222222222",
    "Visa of 19 digits": "4000000000000000006",
    "Mastercard": "5555555555554444",
    "Mastercard, series 2": "2223003122003222",
    "American Express": "378282246310005",
    "Discover": "6011111111111117",
    "Diners Club": "30569309025904",
    "JCB": "3530111333300000",
    "UnionPay": "6200000000000005",
    "Maestro": "6759649826438453",
    "Mir": "2200000000000004",
    "Troy": "9792030394440796",
    "RuPay": "6521111111111110",
    "a number of no network": "1234567812345670",
}
VISA = NUMBERS["Visa"]
GROUPED = "4111 1111 1111 1111"
ZEROS = {"full-width": "０", "Arabic-Indic": "٠", "Persian": "۰", "Devanagari": "०", "bold": "𝟎"}


def in_digits(zero: str, text: str) -> str:
    return "".join(chr(ord(zero) + int(sign)) if sign.isdigit() else sign for sign in text)


@pytest.mark.req("SEC-6")
@pytest.mark.parametrize("network", NUMBERS)
@pytest.mark.parametrize(
    "text",
    ["{}", "card {}", "{}, exp 12/28", "x{}y", "(ref:{})", "Room 214.{}\nnext", "لطفا {} را ببرید"],
)
def test_finds_a_number_in_a_text(network: str, text: str) -> None:
    assert find_card_number(text.format(NUMBERS[network]))


@pytest.mark.req("SEC-6")
@pytest.mark.parametrize(
    "text",
    [
        GROUPED,
        "4111-1111-1111-1111",
        "4111  1111  1111  1111",
        "4111 - 1111 - 1111 - 1111",
        "4111\t1111\t1111\t1111",
        "41 11 11 11 11 11 11 11",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "4-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1",
        "411111-1111111111",
        "3782 822463 10005",
        "4111\u00a01111\u00a01111\u00a01111",
        "4111\u202f1111\u20091111\u30001111",
        "4111–1111—1111‑1111",
        "4111－1111－1111－1111",
        "4111\u200b1111\u200b1111\u200b1111",
        "\u200f4111\u00ad1111\u206011111111\u202c",
        "⁴¹¹¹¹¹¹¹¹¹¹¹¹¹¹¹",
        "④①①①①①①①①①①①①①①①",
        *(in_digits(zero, VISA) for zero in ZEROS.values()),
        *(in_digits(zero, GROUPED) for zero in ZEROS.values()),
        "41111111" + in_digits("۰", "11111111"),
    ],
)
def test_finds_a_number_however_it_is_written(text: str) -> None:
    assert find_card_number(text)


@pytest.mark.req("SEC-6")
@pytest.mark.parametrize(
    "text",
    [
        f"room 12 {GROUPED}",
        f"room 214 {VISA}",
        f"{VISA} 123",
        f"{GROUPED} 0328 737",
        f"2026-03-01 {VISA}",
        f"2026-03-01 {GROUPED} 2026-03-05",
        f"0093 70 123 4567 {VISA}",
        "0 0 0 3782 822463 10005 1",
    ],
)
def test_finds_a_number_among_other_digits(text: str) -> None:
    assert find_card_number(text)


@pytest.mark.req("SEC-6")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "Two bottles of water",
        "4111111111111112",  # the check digit is wrong
        "4111 1111 1111 1113",
        "411111111111",  # twelve digits
        "41111111111111111111",  # twenty
        "4111.1111.1111.1111",
        "4111/1111/1111/1111",
        "4111,1111,1111,1111",
        "4111 room 1111 floor 1111 bed 1111",
        "2026-03-01 2026-03-05",
        "2026-03-01 - 2026-03-05",
        "2026-03-01-2026-03-05",
        "2026-03-01T12:30:00Z",
        "+93 70 123 4567, +93 79 765 4321",
        "fol_01HZX4M2N3P4Q5R6S7T8V9W0XY",
        "7f1b0c9e-0000-4000-8000-0000000000a1",
        "reservation 0034edd3-0032-4082-8518-fe8d64da85f7",
        "bdd7699a2acbe772f0cc10a84c231f9aa573e5b759e636273647251680cb40d2",
        "00-12c89397063e86ec9a1f9c2e9872e88c-5cb1f33049452915-01",
        "Rooms 101 102 103 104 105 106 107",
        "0.1234567890123456e3",
        "شماره اتاق ۲۱۴",
    ],
)
def test_lets_pass_what_is_no_card_number(text: str) -> None:
    assert not find_card_number(text)


@pytest.mark.req("SEC-6")
@pytest.mark.parametrize(
    "text",
    [
        "41111111-1111-1111-4111-111111111111",
        "0034edd3-0032-4082-8518-fe8d64da85f7 4111 1111 1111 1111",
        "a4111111111111111",
    ],
)
def test_finds_a_number_that_stands_like_an_id_or_beside_one(text: str) -> None:
    assert find_card_number(text)


@pytest.mark.req("SEC-6")
def test_takes_two_dates_for_dates_and_the_same_digits_for_a_card() -> None:
    """From the right, every second doubled: 5 0 3 0 6 4 0 4 1 0 3 0 6 4 0 4 sum to 40."""
    assert not find_card_number("2026-03-01 2026-03-05")
    assert find_card_number("2026030120260305")


def luhn(number: str) -> bool:
    """Luhn written out the slow way, from the standard's words."""
    total = 0
    for place, digit in enumerate(reversed(number), start=1):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value // 10 + value % 10
    return total % 10 == 0


@pytest.mark.req("SEC-6")
@given(st.text("0123456789", min_size=1, max_size=24))
def test_follows_the_check_digit_of_every_run(number: str) -> None:
    assert find_card_number(number) == (13 <= len(number) <= 19 and luhn(number))


@pytest.mark.req("SEC-6")
@given(
    st.text("0123456789", min_size=12, max_size=18),
    st.lists(st.sampled_from(["", "", " ", "  ", " - "]), min_size=19, max_size=19),
    st.sampled_from(["0", *ZEROS.values()]),
)
def test_finds_every_number_with_a_right_check_digit(
    start: str, gaps: list[str], zero: str
) -> None:
    """The check digit is tried out: exactly one of ten makes the sum end in nought."""
    number = next(start + last for last in "0123456789" if luhn(start + last))
    written = "".join(map("".join, zip(number, gaps[: len(number)], strict=True)))
    assert find_card_number("no. " + in_digits(zero, written))


def everywhere(_: object) -> bool:
    return True


def pointer(document: object, free_text: Any = everywhere) -> str | None:
    try:
        scan(document, free_text)
    except CardDataFound as found:
        return found.pointer
    return None


@pytest.mark.req("SEC-6")
@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"reason": VISA}, "/reason"),
        ({"lines": [{"note": "x"}, {"note": f"cc {GROUPED}"}]}, "/lines/1/note"),
        ({"metadata": {"a": {"b": [[VISA]]}}}, "/metadata/a/b/0/0"),
        ({"a/b": {"c~d": VISA}}, "/a~1b/c~0d"),
        ({"": VISA}, "/"),
        ([VISA], "/0"),
        (VISA, ""),
        ({"n": 4111111111111111}, "/n"),
        ({"n": 4111111111111111.0}, "/n"),
        ({"metadata": {VISA: "x"}}, "/metadata"),
        ({"metadata": {f"card {GROUPED}": {"x": 1}}}, "/metadata"),
    ],
)
def test_names_the_place_and_not_the_text(document: object, where: str) -> None:
    with pytest.raises(CardDataFound) as refused:
        scan(document, everywhere)
    assert refused.value.code == "PAN_DETECTED"
    assert refused.value.pointer == where
    assert refused.value.extra["errors"] == [{"pointer": where, "message": refused.value.detail}]
    told = json.dumps([str(refused.value), refused.value.extra, refused.value.args])
    assert "4111" not in told


@pytest.mark.req("SEC-6")
def test_never_repeats_a_number_that_stands_in_the_way() -> None:
    """The outer name is no free text, so only the inner text is refused; its path is masked."""
    document = {"byCard": {VISA: {"note": NUMBERS["Discover"]}}}
    assert pointer(document, lambda path: path[-1] == "note") == "/byCard/*/note"


@pytest.mark.req("SEC-6")
@pytest.mark.parametrize(
    "document",
    [
        {"folioId": "fol_01HZX4M2N3P4Q5R6S7T8V9W0XY", "reason": "late check-out"},
        {"amount": {"amountMicro": 12_500_000, "currency": "USD"}, "ok": True, "none": None},
        {"n": 4111111111111112, "m": 10**30, "f": 1e300, "i": float("inf"), "x": float("nan")},
        {"lines": [{"note": "x" * 1000}] * 100},
        {},
        [],
        "",
        None,
    ],
)
def test_lets_a_clean_document_pass(document: object) -> None:
    assert pointer(document) is None


@pytest.mark.req("SEC-6")
def test_asks_which_texts_are_free() -> None:
    free = at("/reason", "/lines/*/note", "/metadata/**")
    for document, where in (
        ({"reason": VISA}, "/reason"),
        ({"lines": [{"note": VISA}]}, "/lines/0/note"),
        ({"metadata": {"a": VISA}}, "/metadata/a"),
        ({"metadata": {"a": [{"b": VISA}]}}, "/metadata/a/0/b"),
        ({"metadata": {VISA: 1}}, "/metadata"),
        ({"eventId": VISA}, None),
        ({"lines": [{"sku": VISA}]}, None),
        ({"lines": [[{"note": VISA}]]}, None),
        ({"reason": {"deep": VISA}}, None),
        ({"metadata": VISA}, None),
        (VISA, None),
    ):
        assert pointer(document, free) == where


@pytest.mark.req("SEC-6")
def test_asks_only_about_what_it_found() -> None:
    asked: list[object] = []
    scan(
        {"a": "x" * 50, "b": [1, 2, {"c": VISA}], "d": VISA}, lambda path: bool(asked.append(path))
    )
    assert sorted(map(str, asked)) == ["('b', 2, 'c')", "('d',)"]


@pytest.mark.req("SEC-6", "API-6")
def test_walks_any_depth() -> None:
    document: Any = VISA
    for _ in range(50_000):
        document = [document]
    assert pointer(document) == "/0" * 50_000


def test_refuses_none_of_a_hotels_own_remarks() -> None:
    """Five thousand with a booking reference of ten digits, two dates, a room and a phone."""
    chance = random.Random(20260301)
    for _ in range(5_000):
        day, night = chance.randint(10, 27), chance.randint(1, 9)
        reference, phone = chance.randrange(10**10), chance.randrange(10**7)
        remark = (
            f"Ref {reference:010d}: 2026-03-{day} 2026-04-0{night}, "
            f"room {chance.randint(100, 999)}, +93 70 {phone}"
        )
        assert not find_card_number(remark), remark
