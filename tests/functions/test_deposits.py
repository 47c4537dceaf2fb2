"""What a guest has paid beyond what is owed is a liability, and charges take it up (FOL-11)."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.depositing import ahead, ledger, paid_ahead
from tests.hotel import Hotel, charge, usd
from tests.moving import balances
from tests.nights import EVENING, FOURTH_DAY, NEXT_DAY, THIRD_DAY, checked_in, days, room, run
from tests.proofs import assert_books_are_right, assert_refused
from tests.refunding import card_payment, refund
from tests.together import at_once
from tests.trust.books import broken

pytestmark = pytest.mark.req("FOL-11")
BOTH = ("guest_ledger", "guest_deposits")


def test_a_deposit_is_a_liability_from_the_moment_that_it_is_paid(hotel: Hotel) -> None:
    folio = paid_ahead(hotel, 20_000)

    shown = hotel.get(f"/folios/{folio}").json
    (listed,) = hotel.get("/folios").json["items"]
    statement = hotel.get(f"/folios/{folio}/statement").json

    assert (shown["balance"], shown["depositsHeld"]) == (usd(-20_000), usd(20_000))
    assert (listed["depositsHeld"], statement["depositsHeld"]) == (usd(20_000), usd(20_000))
    assert ledger(hotel, *BOTH, "bank_clearing") == [0, -20_000, 20_000]
    assert_books_are_right(hotel)


def test_a_folio_that_owes_holds_no_deposit(hotel: Hotel) -> None:
    """A room of 100.00 and 10.00, of which 60.00 are paid."""
    folio = hotel.open_folio()
    hotel.charged(folio)
    hotel.paid(folio, usd(6_000))

    assert ahead(hotel, folio) == [0]
    assert ledger(hotel, *BOTH) == [5_000, 0]


@pytest.mark.req("FOL-9")
def test_a_deposit_is_taken_up_night_by_night(hotel: Hotel, clock: Callable[[str], None]) -> None:
    """200.00 were paid ahead of three nights at 80.00 and 8.00 each. 112.00 are left of it after
    the first night, 24.00 after the second, and after the third the guest owes 64.00."""
    clock(EVENING)
    folio = checked_in(hotel, *(room(day, 8_000) for day in (1, 2, 3)))
    hotel.paid(folio, usd(20_000), allowCredit=True)
    held, owed, booked = [], [], []

    for morning in (NEXT_DAY, THIRD_DAY, FOURTH_DAY):
        clock(morning)
        run(hotel)
        held += ahead(hotel, folio)
        owed += balances(hotel, folio)
        booked.append(ledger(hotel, *BOTH))

    assert held == [11_200, 2_400, 0]
    assert owed == [-11_200, -2_400, 6_400]
    assert booked == [[0, -11_200], [0, -2_400], [6_400, 0]]
    moved = [
        [each["amount"]["amountMicro"] // 10_000 for each in day["guestLedger"]
         if each["account"] == "guest_deposits"]
        for day in days(hotel)
    ]  # fmt: skip
    assert moved == [[11_200], [-8_800], [-2_400]]
    assert (
        sum(each["amount"]["amountMicro"] for day in days(hotel) for each in day["guestLedger"])
        == usd(6_400)["amountMicro"]
    )
    assert broken(hotel) == []


def test_a_batch_takes_up_what_there_is_of_it(hotel: Hotel) -> None:
    """30.00 were paid ahead, and five bars of 10.00 and 1.00 come at once: 25.00 are owed."""
    folio = paid_ahead(hotel, 3_000)
    batch = {"charges": [charge("minibar", 1_000) for _ in range(5)]}

    answer = hotel.post(f"/folios/{folio}/charges/batch", batch)

    assert answer.status_code == 201, answer.text
    brought = hotel.rows(
        "SELECT amount_micro / 10000 FROM {s}.ledger_entries WHERE debit_account ="
        " 'guest_deposits' ORDER BY (SELECT sequence FROM {s}.folio_lines WHERE id = source)"
    )
    assert [row[0] for row in brought] == [1_100, 1_100, 800]
    assert ledger(hotel, *BOTH) == [2_500, 0]
    assert broken(hotel) == []


def test_a_void_gives_back_to_the_deposits_what_was_taken_up(hotel: Hotel) -> None:
    """100.00 ahead, a room of 100.00 and 10.00 takes it all; voided, 100.00 are ahead again."""
    folio = paid_ahead(hotel, 10_000)
    room = hotel.charged(folio)
    owing = ahead(hotel, folio)

    hotel.post(f"/folios/{folio}/charges/{room}/void", {"reason": "Wrong room"})

    assert (owing, ahead(hotel, folio)) == ([0], [10_000])
    assert ledger(hotel, *BOTH) == [0, -10_000]
    assert broken(hotel) == []


@pytest.mark.req("REF-1")
def test_a_refund_that_failed_is_a_deposit_again(hotel: Hotel) -> None:
    folio = hotel.open_folio()
    payment = card_payment(hotel, folio, usd(5_000), "sandbox_declined")

    assert refund(hotel, folio, payment, usd(5_000)).status_code == 201

    assert [line["type"] for line in hotel.get(f"/folios/{folio}").json["lines"]] == [
        "payment", "refund", "refund_reversal",
    ]  # fmt: skip
    assert ahead(hotel, folio) == [5_000]
    assert broken(hotel) == []


@pytest.mark.req("PAY-4", "CLO-1")
def test_a_folio_in_credit_shows_it_and_does_not_close(hotel: Hotel) -> None:
    folio = paid_ahead(hotel, 1_000)

    answer = hotel.post(f"/folios/{folio}/close")

    assert_refused(answer, 409, "BALANCE_DUE")
    assert answer.json["balanceMicro"] == -10_000_000


def test_nothing_is_lost_of_a_deposit_when_many_charge_at_once(hotel: Hotel) -> None:
    """50.00 ahead and eight bars of 10.00 and 1.00 at once: 38.00 are owed."""
    folio = paid_ahead(hotel, 5_000)

    answers = at_once([partial(hotel.charged, folio, "minibar", 1_000) for _ in range(8)])

    assert len(set(answers)) == 8
    assert ledger(hotel, *BOTH) == [3_800, 0]
    assert broken(hotel) == []


def test_what_was_in_credit_before_is_brought_over_by_its_next_lines(hotel: Hotel) -> None:
    """As the version before left it: 20.00 in credit, and the ledger holds no deposit."""
    folio = paid_ahead(hotel, 2_000)
    hotel.rows("DELETE FROM {s}.ledger_entries WHERE 'guest_deposits' = credit_account")
    hotel.rows("UPDATE {s}.folios SET deposits_micro = 0")
    was = broken(hotel)

    hotel.charged(folio, "minibar", 1_000)

    assert any("what_is_paid_ahead_is_a_liability" in each for each in was)
    assert ledger(hotel, *BOTH) == [0, -900]
    assert broken(hotel) == []


def test_a_charge_on_a_folio_in_credit_writes_one_entry_more(hotel: Hotel) -> None:
    """The charge's, its tax's, and what they take up together; on one that owes there are two."""
    folio, other = paid_ahead(hotel, 2_000), hotel.open_folio()
    count = "SELECT count(*) FROM {s}.ledger_entries"
    before = hotel.rows(count)[0][0]

    hotel.charged(folio, "minibar", 100)
    between = hotel.rows(count)[0][0]
    hotel.charged(other, "minibar", 100)

    assert (between - before, hotel.rows(count)[0][0] - between) == (3, 2)
