"""Every invariant holds in a busy hotel, and notices what is planted against it (REL-5)."""

from collections import Counter
from collections.abc import Iterator

import pytest

from common.postgres.connection import Connection
from common.postgres.invariants import look, sections
from common.postgres.schemas import APPEND_ONLY_TABLES
from common.postgres.sessions import connector
from tests.hotel import Hotel, House
from tests.proofs import told
from tests.refunding import standing
from tests.trust.books import broken
from tests.trust.invariants.busy import busy_hotel, otherwise_taxed
from tests.trust.invariants.cash import CASH, hotel_with_tills
from tests.trust.invariants.charging import CHARGED
from tests.trust.invariants.companies import COMPANIES, TAKEN_BACK, hotel_with_companies
from tests.trust.invariants.credits import CREDITS, hotel_with_credits
from tests.trust.invariants.deposits import DEPOSITS, hotel_with_deposits
from tests.trust.invariants.differences import DIFFERENCES, hotel_with_differences
from tests.trust.invariants.nights import NIGHTS, hotel_at_night
from tests.trust.invariants.payments import PAYMENTS
from tests.trust.invariants.payouts import PAYOUTS, hotel_with_payouts
from tests.trust.invariants.plant import STEP_UP, Plant
from tests.trust.invariants.platform_credits import PLATFORM_CREDITS
from tests.trust.invariants.prepaid import PREPAID
from tests.trust.invariants.purchases import PURCHASES
from tests.trust.invariants.reconciliations import RECONCILED, reconciled_hotel
from tests.trust.invariants.records import HARMLESS, PLANTS
from tests.trust.invariants.refunds import REFUNDS, hotel_with_refunds
from tests.trust.invariants.reopenings import (
    REOPENED,
    hotel_with_reopenings,
    otherwise_taxed_with_reopenings,
)
from tests.trust.invariants.reviews import REVIEWS
from tests.trust.invariants.sendings import SENDINGS, hotel_with_sendings
from tests.trust.invariants.signals import SIGNALS, hotel_with_signals
from tests.trust.invariants.subscriptions import SUBSCRIPTIONS
from tests.trust.invariants.tampered import names_broken
from tests.trust.invariants.transfers import (
    TRANSFERS,
    hotel_with_transfers,
    otherwise_taxed_with_transfers,
)
from tests.trust.invariants.usage import USAGE
from tests.trust.invariants.webhooks import WEBHOOKS

pytestmark = pytest.mark.req("REL-5")

UNIQUE = """
SELECT relname
FROM pg_index
JOIN pg_class ON pg_class.oid = indexrelid
WHERE relnamespace = CAST(:schema AS regnamespace) AND indisunique AND relname !~ '_pkey$'
"""


AREAS = {
    "busy": PLANTS,
    "tills": CASH,
    "credited": CREDITS,
    "refunded": REFUNDS,
    "audited": NIGHTS,
    "transferred": TRANSFERS,
    "reopened": REOPENED,
    "odd": SIGNALS,
    "reconciled": RECONCILED,
    "ahead": DEPOSITS,
    "owed": COMPANIES,
    "owed_again": TAKEN_BACK,
    "prepaid": PREPAID,
    "webhooks": WEBHOOKS,
    "sent": SENDINGS,
    "differing": DIFFERENCES,
    "subscribed": SUBSCRIPTIONS,
    "metered": USAGE,
    "payments": PAYMENTS,
    "bought": PURCHASES,
    "charged": CHARGED,
    "given_back": PLATFORM_CREDITS,
    "reviewed": REVIEWS,
    "paying": PAYOUTS,
}
"""What is planted in which hotel; the names are those of the fixtures below."""
PLANTED = [(area, plant) for area, plants in AREAS.items() for plant in plants]
EVERY_PLANT = [plant for _, plant in PLANTED]


@pytest.fixture(scope="module")
def busy(house: House) -> Hotel:
    return busy_hotel(house)


@pytest.fixture(scope="module")
def tills(house: House) -> Hotel:
    return hotel_with_tills(house)


@pytest.fixture(scope="module")
def credited(house: House) -> Hotel:
    return hotel_with_credits(house)


@pytest.fixture(scope="module")
def refunded(house: House) -> Hotel:
    return hotel_with_refunds(house)


@pytest.fixture(scope="module")
def audited(house: House) -> Hotel:
    return hotel_at_night(house)


@pytest.fixture(scope="module")
def transferred(house: House) -> Hotel:
    return hotel_with_transfers(house)


@pytest.fixture(scope="module")
def reopened(house: House) -> Hotel:
    return hotel_with_reopenings(house)


@pytest.fixture(scope="module")
def odd(house: House) -> Hotel:
    return hotel_with_signals(house)


@pytest.fixture(scope="module")
def sent(house: House) -> Hotel:
    return hotel_with_sendings(house)


@pytest.fixture(scope="module")
def reconciled(house: House) -> Hotel:
    return reconciled_hotel(house)


@pytest.fixture(scope="module")
def differing(house: House) -> Hotel:
    return hotel_with_differences(house)


@pytest.fixture(scope="module")
def paying(house: House) -> Hotel:
    return hotel_with_payouts(house)


@pytest.fixture(scope="module")
def ahead(house: House) -> Hotel:
    return hotel_with_deposits(house)


@pytest.fixture(scope="module")
def owed(house: House) -> Hotel:
    return hotel_with_companies(house)


@pytest.fixture(scope="module")
def connection(house: House) -> Iterator[Connection]:
    opened = connector(house.server.dsn(database="billing"), prepares=False)()
    yield opened
    opened.close()


def test_a_busy_hotel_breaks_none(busy: Hotel) -> None:
    """Lines of every type, both currencies, copies, a refusal that was told, an event taken in."""
    types = {row[0] for row in busy.rows("SELECT DISTINCT type FROM {s}.folio_lines")}
    counted = busy.rows(
        "SELECT (SELECT count(*) FROM {s}.invoices), (SELECT count(*) FROM {s}.payments"
        " WHERE fx IS NOT NULL), (SELECT count(*) FROM {s}.invoice_renditions),"
        " (SELECT count(*) FROM {s}.inbox), (SELECT count(*) FROM {s}.render_queue)"
    )

    assert broken(busy) == []
    assert types == {"charge", "tax", "payment", "adjustment", "void", "rounding"}
    assert counted == [[2, 2, 2, 2, 1]]
    assert "folio.balance_due" in told(busy)


def test_a_hotel_that_taxes_otherwise_breaks_none(house: House) -> None:
    assert broken(otherwise_taxed(house)) == []


def test_a_hotel_on_its_first_day_breaks_none(hotel: Hotel) -> None:
    assert broken(hotel) == []


def test_a_hotel_with_tills_breaks_none(tills: Hotel) -> None:
    states = tills.rows("SELECT status FROM {s}.cash_sessions ORDER BY 1")

    assert broken(tills) == []
    assert states == [["acknowledged"], ["closed"], ["open"], ["pending_close"]]


def test_a_hotel_with_credits_breaks_none(credited: Hotel) -> None:
    states = credited.rows("SELECT status FROM {s}.invoice_credits ORDER BY 1")

    assert broken(credited) == []
    assert states == [["credited"], ["voided"]]


def test_a_hotel_with_refunds_breaks_none(refunded: Hotel) -> None:
    states = Counter(status for _, status in standing(refunded))

    assert broken(refunded) == []
    assert states == {"succeeded": 6, "failed": 1, "pending": 1}


def test_a_hotel_at_night_breaks_none(audited: Hotel) -> None:
    ended = audited.rows("SELECT business_date::text FROM {s}.night_audits ORDER BY 1")

    assert broken(audited) == []
    assert ended == [["2026-03-01"], ["2026-03-02"]]


def test_a_hotel_with_transfers_breaks_none(transferred: Hotel) -> None:
    moved = transferred.rows(
        "SELECT type, count(*) FROM {s}.folio_lines WHERE moved_from IS NOT NULL GROUP BY 1"
    )

    assert broken(transferred) == []
    assert dict(moved) == {"charge": 4, "adjustment": 2, "tax": 6}


def test_a_hotel_with_deposits_breaks_none(ahead: Hotel) -> None:
    """Nothing is left on the card's and on the booked one. 5.00 are ahead where 60.00 met 55.00,
    29.00 where 60.00 and 11.00 went off 100.00, and 70.00 wait for a clerk."""
    held = ahead.rows("SELECT deposits_micro / 10000 FROM {s}.folios ORDER BY 1")

    assert broken(ahead) == []
    assert held == [[0], [0], [500], [2_900], [7_000]]


def test_a_hotel_with_transfers_that_taxes_otherwise_breaks_none(house: House) -> None:
    assert broken(otherwise_taxed_with_transfers(house)) == []


def test_a_hotel_with_reopenings_breaks_none(reopened: Hotel) -> None:
    states = reopened.rows("SELECT status, reopened FROM {s}.folios ORDER BY 1, 2")
    documents = reopened.rows("SELECT document_type, count(*) FROM {s}.invoices GROUP BY 1")

    assert broken(reopened) == []
    assert states == [["closed", 0], ["closed", 1], ["closed", 2], ["open", 1]]
    assert dict(documents) == {"invoice": 5, "credit_note": 1}


def test_a_hotel_with_reopenings_that_taxes_otherwise_breaks_none(house: House) -> None:
    assert broken(otherwise_taxed_with_reopenings(house)) == []


def test_a_hotel_with_signals_breaks_none(odd: Hotel) -> None:
    assert broken(odd) == []


def test_a_hotel_with_reconciliations_breaks_none(reconciled: Hotel) -> None:
    states = reconciled.rows("SELECT status FROM {s}.reconciliations ORDER BY 1")

    assert broken(reconciled) == []
    assert states == [["matched"], ["mismatch"], ["resolved"], ["unknown"]]


def test_a_hotel_with_companies_breaks_none(owed: Hotel) -> None:
    states = owed.rows("SELECT status FROM {s}.company_accounts ORDER BY 1")

    assert broken(owed) == []
    assert states == [["active"], ["closed"], ["on_hold"]]


def test_a_hotel_with_prepaid_credits_breaks_none(prepaid: Hotel) -> None:
    kinds = prepaid.rows("SELECT DISTINCT kind FROM {s}.credit_ledger_entries ORDER BY 1")

    assert broken(prepaid) == []
    assert [row[0] for row in kinds] == [
        "capture",
        "claw_back",
        "debt_paid",
        "debt_waived",
        "give_back",
        "grant",
        "hold",
        "redeem",
        "release",
        "restore",
        "spend",
        "transfer_in",
        "transfer_out",
    ]


def test_a_hotel_with_webhooks_breaks_none(webhooks: Hotel) -> None:
    outcomes = webhooks.rows("SELECT DISTINCT outcome FROM {s}.webhook_attempts ORDER BY 1")

    assert broken(webhooks) == []
    assert outcomes == [["applied"], ["refused"], ["repeated"]]


@pytest.mark.parametrize(
    ("area", "plant"),
    PLANTED,
    ids=[f"{area}-{place}-{plant.invariant}" for place, (area, plant) in enumerate(PLANTED)],
)
def test_notices_what_is_planted(
    request: pytest.FixtureRequest, connection: Connection, area: str, plant: Plant
) -> None:
    hotel: Hotel = request.getfixturevalue(area)

    found = names_broken(connection, hotel, *plant.sql)

    assert found == {plant.invariant} | plant.also


@pytest.mark.parametrize("sql", HARMLESS)
def test_says_nothing_of_what_is_harmless(
    busy: Hotel, hotel: Hotel, connection: Connection, sql: tuple[str, ...]
) -> None:
    """Among others what befalls another hotel, which has told something, too."""
    hotel.charged(hotel.open_folio())

    assert names_broken(connection, busy, *sql) == set()


def test_one_confirmed_deed_may_leave_two_entries(busy: Hotel, connection: Connection) -> None:
    """A close is told by the folio and by the invoice; that an entry was written to is noticed."""
    confirmed = (
        "UPDATE audit_entries SET step_up_token_id = 'token', assertion_hash = 'proof'"
        " WHERE recorded_at = (SELECT max(recorded_at) FROM audit_entries"
        " WHERE action = 'folio.closed')"
    )

    found = names_broken(connection, busy, STEP_UP, confirmed)

    assert found == {"an_entry_fits_its_hash"}


@pytest.mark.parametrize("pruned", ["sequence <= 2", "true"])
def test_misses_no_event_that_was_deleted_for_its_age(
    busy: Hotel, connection: Connection, pruned: str
) -> None:
    """A month later the oldest events are gone, or all of them: none of them is missed."""
    months_ago = "UPDATE audit_entries SET recorded_at = recorded_at - interval '31 days'"
    prune = f"DELETE FROM billing_central.outbox WHERE tenant_id = '{{tenant}}' AND {pruned}"

    assert names_broken(connection, busy, months_ago, prune) == {"an_entry_fits_its_hash"}


def test_misses_an_event_behind_which_others_are_left(busy: Hotel, connection: Connection) -> None:
    months_ago = "UPDATE audit_entries SET recorded_at = recorded_at - interval '31 days'"
    lose = "DELETE FROM billing_central.outbox WHERE tenant_id = '{tenant}' AND sequence = 2"

    found = names_broken(connection, busy, months_ago, lose)

    assert found == {"an_entry_fits_its_hash", "every_fact_has_its_event"}


def test_what_was_planted_is_gone(busy: Hotel, connection: Connection) -> None:
    """So that each plant is judged alone."""
    assert names_broken(connection, busy, "DELETE FROM ledger_entries")

    assert names_broken(connection, busy) == set()


def test_every_invariant_has_its_plant() -> None:
    """One that nothing breaks would keep nothing: a new invariant comes with its plant."""
    rules = {section.name for section in sections() if not section.is_note}

    assert rules == {plant.invariant for plant in EVERY_PLANT}


def test_every_unique_constraint_of_a_tenant_is_guarded(hotel: Hotel) -> None:
    there = {row[0] for row in hotel.house.sql(UNIQUE, schema=hotel.schema)}
    guards = next(each for each in sections() if each.name == "what_may_happen_once_is_guarded")

    assert {name for name in there if f"'{name}'" not in guards.query} == set()


def test_every_table_of_record_is_guarded() -> None:
    guards = next(each for each in sections() if each.name == "a_record_cannot_be_changed")

    assert {name for name in APPEND_ONLY_TABLES if f"'{name}'" not in guards.query} == set()


def test_a_session_that_row_security_binds_says_what_it_does_not_see(busy: Hotel) -> None:
    """A job's login sees no row of another tenant, and does not claim that there is none."""
    login = connector(busy.house.server.dsn("billing_job", "billing"))()
    try:
        found = look(login, busy.tenant_id)
    finally:
        login.close()

    assert (found.broken, found.unseen) == ((), ("every_row_is_the_tenants",))
    assert found.asked == len({plant.invariant for plant in EVERY_PLANT}) - 1
