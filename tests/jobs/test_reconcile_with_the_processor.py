"""Card payments and refunds of a date are held against the processor's records of them."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from common.domain.money import Currency, Money
from common.domain.reconciliation import CardRecord, CardRecords
from common.ports.answers import Unknown
from tests.hotel import Hotel, usd
from tests.reconciling import (
    DATE,
    MATCHED,
    NOON,
    OVER,
    BusyDay,
    Clock,
    Processor,
    about,
    amounts,
    captured,
    found,
    paid_by_card,
    plant,
    run,
)
from tests.refunding import refund

pytestmark = pytest.mark.req("CASH-9", "JOB-1")


def test_another_currency_is_a_difference_in_both(
    hotel: Hotel, day: BusyDay, at: Callable[[Processor], Hotel]
) -> None:
    theirs = [
        CardRecord(day.payments[0][1], Money(110_000_000, Currency("EUR"))),
        CardRecord(day.payments[1][1], Money(70_000_000, Currency("USD"))),
        CardRecord(day.payments[2][1], Money(90_000_000, Currency("USD"))),
    ]
    given_back = [
        CardRecord(each, Money(micro, Currency("USD")))
        for each, micro in zip(day.refunds, (5_000_000, 7_000_000), strict=True)
    ]

    run(at(Processor(says=CardRecords(tuple(theirs), tuple(given_back)))))

    assert amounts(hotel) == {
        ("payment_amount", "EUR"): (11_000, 0),
        ("payment_amount", "USD"): (0, 11_000),
    }


@pytest.mark.req("GW-5")
def test_a_processor_that_does_not_answer_makes_no_mismatch(
    hotel: Hotel, day: BusyDay, at: Callable[[Processor], Hotel]
) -> None:
    """The date is unknown, and the next run tries it again."""
    silent = run(at(Processor(says=Unknown())))
    assert (silent.done, silent.exit_code) == (1, 0)
    assert found(hotel) == ("unknown", set())

    again = run(hotel)

    assert again.done == 1
    assert found(hotel) == MATCHED
    assert about(hotel) == ["reconciliation.recorded"] * 2
    assert run(hotel).due == 0


def test_what_the_books_say_is_found_though_the_processor_is_silent(
    hotel: Hotel, day: BusyDay, at: Callable[[Processor], Hotel]
) -> None:
    ours, theirs = plant(day, "folio_ledger"), plant(day, "payment_not_captured")
    run(at(Processor(says=Unknown())))
    assert found(hotel) == ("mismatch", ours)

    run(hotel)

    assert found(hotel) == ("mismatch", ours | theirs)


def test_what_the_processor_said_stands_while_it_is_silent(
    hotel: Hotel, day: BusyDay, at: Callable[[Processor], Hotel]
) -> None:
    theirs = plant(day, "payment_not_captured")
    run(hotel)
    before = about(hotel)

    run(at(Processor(says=Unknown())), as_of=DATE)

    assert found(hotel) == ("mismatch", theirs)
    assert about(hotel) == before
    assert run(hotel).due == 1, "the next run asks again"


def test_a_processor_that_breaks_leaves_the_date_to_the_next_run(
    hotel: Hotel, day: BusyDay, at: Callable[[Processor], Hotel]
) -> None:
    def breaks() -> None:
        raise ConnectionError("The processor is gone")

    done = run(at(Processor(meanwhile=breaks)))

    assert (done.done, done.failed) == (0, 1)
    assert done.exit_code != 0
    assert hotel.rows("SELECT id FROM {s}.reconciliations") == []


def test_asks_for_the_hours_of_the_date_and_for_our_ids(
    hotel: Hotel, day: BusyDay, at: Callable[[Processor], Hotel]
) -> None:
    """1 March of Kabul is from 22:30 of the day before to 22:30, UTC."""
    processor = Processor()

    run(at(processor))

    (wanted,) = processor.asked
    assert (wanted.tenant_id, wanted.property_id) == (hotel.tenant_id, hotel.property_id)
    hours = wanted.since.isoformat(), wanted.until.isoformat()
    assert hours == ("2026-02-28T22:30:00+00:00", "2026-03-01T22:30:00+00:00")
    assert set(wanted.payment_ids) == {each for _, each in day.payments}
    assert set(wanted.refund_ids) == set(day.refunds)


def test_a_capture_that_was_recorded_under_the_next_date_is_no_difference(
    hotel: Hotel, clock: Clock
) -> None:
    """Captured a minute before the close hour, recorded a minute after it: matched on both."""
    clock(NOON)
    folio = hotel.open_folio()
    clock("2026-03-01T22:29:00Z")
    payment = captured(hotel, 5_000)
    clock("2026-03-01T22:31:00Z")
    paid_by_card(hotel, folio, 5_000, capture=None, payment=payment)
    clock("2026-03-02T23:30:00Z")

    run(hotel)

    assert found(hotel) == MATCHED
    assert found(hotel, date(2026, 3, 2)) == MATCHED


def test_a_refund_that_waits_for_its_word_may_be_made_or_not(
    hotel: Hotel, clock: Clock, at: Callable[[Processor], Hotel]
) -> None:
    clock(NOON)
    folio = hotel.open_folio()
    payment, id = paid_by_card(hotel, folio, 5_000, payment=f"sandbox_unreachable_{uuid4()}")
    answer = refund(hotel, folio, payment, usd(1_000))
    refund_id = answer.json["refund"]["refundId"]
    assert hotel.rows("SELECT count(*) FROM {s}.refund_queue") == [[1]]
    clock(OVER)
    run(hotel)
    assert found(hotel) == MATCHED

    made = CardRecord(refund_id, Money(10_000_000, Currency("USD")))
    kept = CardRecord(id, Money(50_000_000, Currency("USD")))
    run(at(Processor(says=CardRecords((kept,), (made,)))), as_of=DATE)

    assert found(hotel) == MATCHED


def test_a_refund_that_failed_here_and_was_made_there_is_found(
    hotel: Hotel, clock: Clock, at: Callable[[Processor], Hotel]
) -> None:
    clock(NOON)
    folio = hotel.open_folio()
    payment, id = paid_by_card(hotel, folio, 5_000, payment=f"sandbox_declined_{uuid4()}")
    answer = refund(hotel, folio, payment, usd(1_000))
    refund_id = answer.json["refund"]["refundId"]
    clock(OVER)

    made = CardRecord(refund_id, Money(10_000_000, Currency("USD")))
    kept = CardRecord(id, Money(50_000_000, Currency("USD")))
    run(at(Processor(says=CardRecords((kept,), (made,)))))

    assert found(hotel) == ("mismatch", {("refund_not_recorded", refund_id)})


def test_a_run_that_is_late_does_not_undo_a_later_one(
    hotel: Hotel, day: BusyDay, at: Callable[[Processor], Hotel]
) -> None:
    """While the first run waits for the processor another one has looked, and found more."""
    expected: list[Any] = []

    def another_run() -> None:
        expected.append(plant(day, "payment_not_captured"))
        run(hotel, as_of=DATE)

    here = at(Processor(says=CardRecords(), meanwhile=another_run))

    done = run(here)

    assert done.exit_code == 0
    assert found(hotel) == ("mismatch", expected[0])
    assert about(hotel) == ["reconciliation.mismatch_found"]
