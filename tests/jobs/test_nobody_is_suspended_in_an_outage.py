"""While the processor does not answer, or an incident is declared, nobody is suspended (SUB-7)."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.buying import card
from tests.charging import (
    Silent,
    booked,
    charges,
    collect,
    collection,
    debts,
    incident,
    incidents_are_over,
    last_charge,
    status,
)
from tests.hotel import Hotel, House
from tests.proofs import assert_refused, told, trail
from tests.subscribing import change, invoices, subscribed
from tests.trust.books import broken

pytestmark = [pytest.mark.req("SUB-7", "JOB-1"), pytest.mark.usefixtures("noon")]
Clock = Callable[[str], None]
CLOSED = (
    "UPDATE billing_central.circuit_breakers SET failures = 0, window_began_at = NULL,"
    " opened_at = NULL, probe_by = NULL, probe_until = NULL"
)


@pytest.fixture
def processor(house: House) -> Silent:
    return Silent(house.wiring.sandbox_cards)


@pytest.fixture
def beside(house: House, processor: Silent) -> Iterator[House]:
    """An instance of the service whose processor can be silent."""
    instance = house.beside(powers={"sandbox_cards": processor}, rate_limits=False)
    instance.wiring.__dict__["clock"] = house.wiring.clock
    yield instance
    instance.close()
    house.sql(CLOSED)


@pytest.fixture
def office(house: House) -> Iterator[Hotel]:
    """The platform's own office; whatever incident it has declared is over afterwards."""
    yield house.new_hotel()
    incidents_are_over(house)


def test_a_processor_that_is_down_for_three_days_suspends_nobody(
    house: House, beside: House, processor: Silent, clock: Clock
) -> None:
    """Four are charged on the day that it goes down; of a fifth one the time is over on the second
    day of it, the 11th of March. Nobody is suspended; when it is back, each is charged once, and
    only then is the fifth one suspended, whose card is declined as before. Five that were not
    answered open the circuit."""
    late = house.new_hotel()
    subscribed(late, paymentMethodId=card(late, "sandbox_declined"))
    collect(late)
    clock("2026-03-08T12:30:00+00:00")
    collect(late)
    clock("2026-03-10T12:30:00+00:00")
    good = [house.new_hotel() for _ in range(4)]
    for hotel in good:
        subscribed(hotel, paymentMethodId=card(hotel))
    everybody = [replace(hotel, house=beside) for hotel in (late, *good)]
    before = len(charges(late))
    processor.down = True
    for day in ("10T12:40", "11T06:00", "11T12:40", "12T06:00", "12T23:00", "13T12:00"):
        clock(f"2026-03-{day}:00+00:00")
        for hotel in everybody:
            collect(hotel)
        assert [status(hotel) for hotel in everybody] == ["past_due", *["active"] * 4]
    opened = "SELECT opened_at IS NOT NULL FROM billing_central.circuit_breakers WHERE name = :n"
    assert house.sql(opened, n="gateway") == [[True]]

    processor.down = False
    clock("2026-03-13T14:00:00+00:00")
    for hotel in everybody:
        collect(hotel)

    assert [status(hotel) for hotel in everybody] == ["suspended", *["active"] * 4]
    assert [debts(hotel) for hotel in good] == [["paid"]] * 4
    assert [len(charges(hotel)) for hotel in good] == [1] * 4
    assert len(charges(late)) == before + 1
    assert sorted(processor.paid) == sorted(last_charge(hotel) for hotel in everybody)
    assert [broken(hotel) for hotel in (late, *good)] == [[]] * 5


def test_a_circuit_that_is_open_holds_who_would_be_suspended(
    house: House, hotel: Hotel, clock: Clock
) -> None:
    """An expired card, of which the time is over while the circuit is open: held, told once; then
    charged once more, and suspended."""
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_expired"))
    collect(hotel)
    house.sql(
        "UPDATE billing_central.circuit_breakers SET opened_at = '2026-03-11'"
        " WHERE name = 'gateway'"
    )
    for hour in ("13", "15"):
        clock(f"2026-03-11T{hour}:00:00+00:00")
        collect(hotel)
        assert (status(hotel), len(charges(hotel))) == ("past_due", 1)
        assert collection(hotel)["nextAttemptAt"] > f"2026-03-11T{hour}:59"
    held = trail(hotel, "subscription_collection.held")
    assert [each["reason"] for each in held] == ["processor_does_not_answer"]
    house.sql(CLOSED)
    clock("2026-03-11T17:00:00+00:00")

    collect(hotel)

    assert (status(hotel), len(charges(hotel))) == ("suspended", 2)
    assert broken(hotel) == []


def test_an_incident_holds_everybody_and_each_is_charged_before_the_end(
    hotel: Hotel, office: Hotel, clock: Clock
) -> None:
    """One asks for a card that was never given, and one has an expired card."""
    other = hotel.house.new_hotel()
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_expired"))
    subscribed(other)
    for each in (hotel, other):
        collect(each)
    declared = incident(office, "declare")
    assert declared.status_code == 201, declared.text
    assert_refused(incident(office, "declare"), 409, "PLATFORM_INCIDENT_ON")
    clock("2026-03-12T12:00:00+00:00")
    for each in (hotel, other):
        collect(each)
        assert status(each) == "past_due"

    incident_id = declared.json["incidentId"]
    assert_refused(incident(hotel, "end", incident_id), 404, "PLATFORM_INCIDENT_UNKNOWN")
    assert incident(office, "end", incident_id).status_code == 200
    assert_refused(incident(office, "end", incident_id), 409, "PLATFORM_INCIDENT_OVER")
    clock("2026-03-12T13:30:00+00:00")
    for each in (hotel, other):
        collect(each)

    assert [status(hotel), status(other)] == ["suspended", "suspended"]
    assert [len(charges(hotel)), len(charges(other))] == [2, 0]
    assert told(office) == ["platform_incident.declared", "platform_incident.ended"]
    assert [broken(each) for each in (hotel, other, office)] == [[], [], []]


def test_an_incident_between_two_looks_is_one_all_the_same(
    hotel: Hotel, office: Hotel, clock: Clock
) -> None:
    """It was on and over before the time of the expired card was: charged once more before that."""
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_expired"))
    collect(hotel)
    clock("2026-03-05T12:00:00+00:00")
    declared = incident(office, "declare").json["incidentId"]
    assert incident(office, "end", declared).status_code == 200
    clock("2026-03-11T13:00:00+00:00")

    collect(hotel)

    assert (status(hotel), len(charges(hotel))) == ("suspended", 2)


def test_nobody_is_dunned_for_less_than_the_processor_takes(
    beside: House, processor: Silent, clock: Clock
) -> None:
    """29.00 is paid; the 0.03 that Team costs more for the last 20 minutes no processor takes: they
    are a loss, and no reason to suspend anybody."""
    hotel = beside.new_hotel()
    subscribed(hotel, paymentMethodId=card(hotel))
    collect(hotel)
    clock("2026-04-01T11:40:00+00:00")
    assert change(hotel, plan="team").status_code == 200
    assert invoices(hotel)[1] == ["change", 1, 3, 3]
    processor.least_micro = 500_000

    collect(hotel)

    assert charges(hotel)[1] == [1, "failed", "amount_too_small", 3]
    assert (status(hotel), debts(hotel)) == ("active", ["paid", "uncollectible"])
    assert booked(hotel)[1] == ["bad_debt", "receivable", 3]
    assert collection(hotel)["nextAttemptAt"] is None
    assert broken(hotel) == []
