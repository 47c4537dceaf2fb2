"""The file of invariants is understood to its last line, or refused; what breaks one is counted."""

from collections import Counter

import pytest

from common.postgres.invariants import InvariantsUnreadable, read
from tests.hotel import Hotel
from tests.trust.books import broken_invariants

pytestmark = pytest.mark.req("REL-5")

RULE = "-- invariant: a_rule\n-- It holds.\nSELECT id, '' FROM folios WHERE false;\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-- only words\n",
        "SELECT 1;\n" + RULE,
        RULE + RULE,
        RULE.replace("-- It holds.\n", ""),
        RULE.replace("It holds.", "It holds"),
        RULE.replace("a_rule", "A-Rule"),
        RULE.replace("invariant:", "invariant"),
        RULE.replace("-- It", "-- as: anybody\n-- It"),
        RULE.replace(";", ""),
        RULE.replace("false;", "false; DROP TABLE folios;"),
        RULE.replace("SELECT", "DELETE"),
        RULE.replace("SELECT", "\nnonsense\nSELECT"),
        RULE.split("SELECT")[0],
        RULE.replace("invariant", "note"),
        RULE + RULE.replace("a_rule", "b").replace("invariant", "note"),
    ],
)
def test_refuses_a_file_that_it_does_not_understand_to_the_last_line(text: str) -> None:
    with pytest.raises(InvariantsUnreadable):
        read(text)


def test_reads_rules_in_the_order_in_which_they_are_asked() -> None:
    """The drainer's notes come first, what only an administrator sees comes last."""
    late = RULE.replace("a_rule", "late").replace("-- It", "-- as: administrator\n-- It")
    note = RULE.replace("invariant: a_rule", "note: early").replace(
        "-- It", "-- as: drainer\n-- It"
    )

    found = read("-- What holds.\n\n" + late + RULE + note)

    assert [each.name for each in found] == ["early", "a_rule", "late"]
    assert [each.rule for each in found] == ["It holds."] * 3
    assert Counter(each.is_note for each in found) == {False: 2, True: 1}


def test_counts_all_and_shows_the_first(hotel: Hotel) -> None:
    """25 folios say more than their lines do: 25 are counted, 20 are shown."""
    for _ in range(25):
        hotel.open_folio()
    hotel.rows("UPDATE {s}.folios SET balance_micro = 1")

    found = {each.name: each for each in broken_invariants(hotel)}

    wrong = found["balance_is_the_sum_of_the_lines"]
    assert (wrong.count, len(wrong.first)) == (25, 20)
    assert wrong.first[0][1] == "balance 1, lines 0"
