"""Invoice numbers: consecutive without a gap, each document bound to the one before (INV-1)."""

import hashlib
import json
from datetime import datetime
from functools import partial

import pg8000.exceptions
import pytest

from tests.hotel import Hotel, usd
from tests.proofs import assert_books_are_right
from tests.together import at_once


def _chain(hotel: Hotel) -> list[tuple[int, str]]:
    """Numbers in their order, after every payload was held against its hash and predecessor."""
    rows = hotel.rows(
        "SELECT series_number, number, payload, payload_sha256, previous_sha256"
        " FROM {s}.invoices ORDER BY jurisdiction, year, series_number"
    )
    before = None
    for place, number, text, digest, previous in rows:
        payload = json.loads(text)
        assert hashlib.sha256(text.encode()).digest() == digest
        assert previous == before
        assert payload["previousDocumentSha256"] == (before.hex() if before else None)
        assert (payload["number"], payload["series"]["sequence"]) == (number, place)
        before = digest
    return [(row[0], row[1]) for row in rows]


@pytest.mark.req("INV-1")
def test_is_never_issued_before_the_one_with_the_number_before(hotel: Hotel, clock) -> None:
    """A transaction that began earlier comes to the series later: here the clock goes back."""
    for instant in ("2026-03-10T08:00:00Z", "2026-03-10T07:00:00Z", "2026-03-10T09:00:00Z"):
        clock(instant)
        hotel.closed_folio()

    rows = hotel.rows("SELECT issued_at, payload FROM {s}.invoices ORDER BY series_number")
    first, second, third = (issued_at for issued_at, _ in rows)
    assert first == second < third
    said = [datetime.fromisoformat(json.loads(payload)["issuedAt"]) for _, payload in rows]
    assert said == [first, second, third]
    assert_books_are_right(hotel)


@pytest.mark.req("INV-1")
def test_gives_a_hundred_consecutive_numbers_to_a_hundred_that_close_at_once(
    hotel: Hotel,
) -> None:
    folios = at_once([hotel.open_folio] * 100)
    for folio in folios[:10]:
        hotel.charged(folio)
        hotel.paid(folio, usd(11_000))

    answers = at_once([partial(hotel.post, f"/folios/{folio}/close") for folio in folios])

    assert {answer.status_code for answer in answers} == {200}
    numbers = _chain(hotel)
    assert [place for place, _ in numbers] == list(range(1, 101))
    assert sorted(answer.json["invoiceNumber"] for answer in answers) == [n for _, n in numbers]
    assert hotel.rows("SELECT last_number FROM {s}.number_series") == [[100]]
    assert_books_are_right(hotel)


@pytest.mark.req("INV-1")
def test_leaves_no_gap_where_a_close_is_refused(hotel: Hotel) -> None:
    hotel.closed_folio()
    owing = hotel.open_folio()
    hotel.charged(owing)

    assert hotel.post(f"/folios/{owing}/close").status_code == 409
    hotel.closed_folio()

    assert [place for place, _ in _chain(hotel)] == [1, 2]


@pytest.mark.req("INV-1")
def test_gives_a_number_back_where_the_commit_fails(hotel: Hotel) -> None:
    """Somebody has planted an invoice 2 behind the service's back; once it is gone, 2 is given."""
    hotel.closed_folio()
    folio = hotel.open_folio()
    hotel.rows(
        "INSERT INTO {s}.invoices SELECT (jsonb_populate_record(invoice,"
        """ '{"id": "inv_planted", "number": "planted", "series_number": 2}')).*"""
        " FROM {s}.invoices AS invoice"
    )

    failed = hotel.post(f"/folios/{folio}/close")
    hotel.rows("DELETE FROM {s}.invoices WHERE id = 'inv_planted'")
    closed = hotel.post(f"/folios/{folio}/close")

    assert (failed.status_code, closed.status_code) == (500, 200)
    assert [place for place, _ in _chain(hotel)] == [1, 2]
    assert_books_are_right(hotel)


@pytest.mark.req("INV-1")
def test_begins_again_each_year_by_the_propertys_calendar(hotel: Hotel, clock) -> None:
    """In Kabul (UTC+4:30, day closes at 3) 2027 begins on 31 December at 22:30 UTC."""
    numbers = []
    for instant in ("2026-12-31T12:00:00Z", "2026-12-31T22:20:00Z", "2026-12-31T22:40:00Z"):
        clock(instant)
        answer = hotel.post(f"/folios/{hotel.open_folio()}/close")
        numbers.append(answer.json["invoiceNumber"])

    assert numbers == [
        "INV-AF-KBL-2026-000001",
        "INV-AF-KBL-2026-000002",
        "INV-AF-KBL-2027-000001",
    ]


@pytest.mark.req("INV-1")
def test_goes_on_over_the_years_where_the_tenant_wants_it(hotel: Hotel, clock) -> None:
    hotel.write_settings(numbersRestartYearly=False, numberPrefix="H")
    numbers = []
    for instant in ("2026-06-01T12:00:00Z", "2027-06-01T12:00:00Z"):
        clock(instant)
        answer = hotel.post(f"/folios/{hotel.open_folio()}/close")
        numbers.append(answer.json["invoiceNumber"])

    assert numbers == ["H-AF-KBL-000001", "H-AF-KBL-000002"]


@pytest.mark.req("INV-2", "MON-6")
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE {s}.invoices SET payload = '{{}}'",
        "UPDATE {s}.invoices SET total_micro = 1",
        "DELETE FROM {s}.invoices",
        "DELETE FROM {s}.invoice_lines",
        "UPDATE {s}.invoice_lines SET invoice_id = 'inv_0'",
        "UPDATE {s}.ledger_entries SET amount_micro = 1",
        "DELETE FROM {s}.ledger_entries",
        "UPDATE {s}.folio_lines SET amount_micro = 1",
        "DELETE FROM {s}.folio_lines",
        "UPDATE {s}.audit_entries SET actor = 'nobody'",
        "DELETE FROM {s}.audit_entries",
        "UPDATE {s}.settlements SET residual_micro = 1",
        "UPDATE {s}.payments SET amount_micro = 1",
        "DELETE FROM {s}.payments",
        "DELETE FROM {s}.number_series",
    ],
)
def test_the_database_refuses_the_application_to_change_what_is_issued(
    closed_hotel: Hotel, change: str
) -> None:
    hotel = closed_hotel
    with hotel.house.session() as session:
        session.run(f"SET ROLE tenant_{hotel.tenant_id.hex}")
        session.run("SELECT set_config('app.tenant_id', :t, false)", t=str(hotel.tenant_id))
        assert session.run(f"SELECT count(*) FROM {hotel.schema}.invoices") == [[1]]

        with pytest.raises(pg8000.exceptions.DatabaseError) as refused:
            session.run(change.format(s=hotel.schema))

    assert refused.value.args[0]["C"] == "42501"  # insufficient_privilege


@pytest.fixture(scope="module")
def closed_hotel(house) -> Hotel:
    """A hotel with one invoice."""
    hotel = house.new_hotel()
    hotel.closed_folio()
    return hotel
