"""Numbers that guests have in hand and the database has forgotten are not given again (INV-2)."""

import pytest

from common.domain.lost_number import LostNumber, NumberOfNoSeries, Seen, lost_numbers

pytestmark = pytest.mark.req("INV-2", "OPS-3")
KABUL = ("AF-KBL", "invoice", 2026)
HASH = b"\x01" * 32
PLACES = ["AF", "AF-KBL", "AE-DU"]


def seen(number: str, document_type: str = "invoice") -> Seen:
    return Seen(document_type, number, HASH)


def numbers(last: dict[tuple[str, str, int], int], *found: Seen) -> list[str]:
    return [each.number for each in lost_numbers(last, found, PLACES)]


def test_what_the_series_has_given_is_not_lost() -> None:
    given = [seen("INV-AF-KBL-2026-000001"), seen("INV-AF-KBL-2026-000002")]

    assert numbers({KABUL: 2}, *given) == []


def test_all_behind_the_last_one_up_to_the_highest_are_lost() -> None:
    """2 and 4 were found; 3 was given as well, and its document was not stored any more."""
    found = [seen("INV-AF-KBL-2026-000004"), seen("INV-AF-KBL-2026-000002")]

    lost = lost_numbers({KABUL: 1}, found, PLACES)

    assert [(each.series_number, each.payload_sha256) for each in lost] == [
        (2, HASH),
        (3, None),
        (4, HASH),
    ]
    assert lost[1] == LostNumber(KABUL, 3, "INV-AF-KBL-2026-000003", None)


def test_each_series_is_looked_at_on_its_own() -> None:
    """A series that had not begun at that point, one that never restarts, another kind."""
    found = [
        seen("INV-AE-DU-2026-000001"),
        seen("INV-AF-000008"),
        seen("CN-AF-KBL-2026-000001", "credit_note"),
    ]

    lost = lost_numbers({KABUL: 5, ("AF", "invoice", 0): 7}, found, PLACES)

    assert [each.series for each in lost] == [
        ("AE-DU", "invoice", 2026),
        ("AF", "invoice", 0),
        ("AF-KBL", "credit_note", 2026),
    ]


@pytest.mark.parametrize("number", ["INV-IR-THR-2026-000001", "INV-AF-KBL-2026-01", "x"])
def test_refuses_a_number_of_no_series(number: str) -> None:
    with pytest.raises(NumberOfNoSeries):
        numbers({}, seen(number))
