"""Leading to an invoice's PDF: a signed link that lives five minutes (INV-7)."""

import pytest

from common.local.documents import LINKS_PATH, LinkRefused
from common.runtime.declaration import declaration_of
from functions.invoices.get_invoice_pdf import get_invoice_pdf
from tests.hotel import Hotel, House, new_id
from tests.proofs import GENERAL, assert_refused, state


def _open(house: House, location: str) -> bytes:
    """Follow a link to the laptop's document store."""
    prefix = house.wiring.public_url + LINKS_PATH + "/"
    assert location.startswith(prefix)
    return house.wiring.documents.open_link(location[len(prefix) :])  # type: ignore[attr-defined]


@pytest.fixture
def invoice(hotel: Hotel) -> str:
    _, invoice_id = hotel.closed_folio()
    assert hotel.render(invoice_id).status_code == 204
    return invoice_id


@pytest.mark.req("INV-7")
def test_leads_to_the_file_that_was_issued(house: House, hotel: Hotel, invoice: str) -> None:
    before = state(hotel)

    answer = hotel.get(f"/invoices/{invoice}/pdf")

    assert answer.status_code == 302, answer.text
    pdf = _open(house, answer.headers["Location"])
    number = hotel.get(f"/invoices/{invoice}").json["number"]
    assert house.wiring.printer.identity(pdf)[0] == number
    assert answer.headers["Cache-Control"] == "no-store"
    assert state(hotel) == before


@pytest.mark.req("INV-6", "INV-7")
def test_leads_to_the_copy_that_is_asked_for(house: House, hotel: Hotel, invoice: str) -> None:
    hotel.post(f"/invoices/{invoice}/regenerate")

    files = [
        _open(house, hotel.get(f"/invoices/{invoice}/pdf", copyNumber=n).headers["Location"])
        for n in ("0", "1")
    ]

    assert files[0] != files[1]


@pytest.mark.req("INV-7")
def test_its_link_lives_five_minutes(house: House, hotel: Hotel, clock) -> None:
    clock("2026-03-10T10:00:00Z")
    _, invoice_id = hotel.closed_folio()
    hotel.render(invoice_id)
    clock("2026-03-10T10:00:00Z")
    location = hotel.get(f"/invoices/{invoice_id}/pdf").headers["Location"]

    clock("2026-03-10T10:04:50Z")
    assert _open(house, location).startswith(b"%PDF-")
    clock("2026-03-10T10:05:10Z")
    with pytest.raises(LinkRefused):
        _open(house, location)


@pytest.mark.req("INV-7")
@pytest.mark.parametrize("place", [0, 40, -1])
def test_its_link_cannot_be_changed(house: House, hotel: Hotel, invoice: str, place: int) -> None:
    location = hotel.get(f"/invoices/{invoice}/pdf").headers["Location"]
    head, token = location.rsplit("/", 1)
    changed = list(token)
    changed[place] = "A" if changed[place] != "A" else "B"

    with pytest.raises((LinkRefused, ValueError)):
        _open(house, f"{head}/{''.join(changed)}")


@pytest.mark.req("INV-7", "API-3")
def test_refuses_what_is_not_there(hotel: Hotel, invoice: str) -> None:
    """An invoice that nobody knows, one whose PDF is still being made, a copy that is none."""
    _, undrawn = hotel.closed_folio()
    before = state(hotel)

    unknown = hotel.get(f"/invoices/{new_id('inv')}/pdf")
    early = hotel.get(f"/invoices/{undrawn}/pdf")
    copy = hotel.get(f"/invoices/{invoice}/pdf", copyNumber="7")

    assert_refused(unknown, 404, "INVOICE_UNKNOWN")
    assert_refused(early, 409, "INVOICE_NOT_RENDERED")
    assert int(early.headers["Retry-After"]) > 0
    assert_refused(copy, 409, "INVOICE_NOT_RENDERED")
    assert state(hotel) == before
    declared = {refusal.code for refusal in declaration_of(get_invoice_pdf).refusals}
    assert declared == {"INVOICE_UNKNOWN", "INVOICE_NOT_RENDERED"}


@pytest.mark.req("API-6")
@pytest.mark.parametrize("copy", ["one", "1.0", "-1", ""])
def test_refuses_what_is_no_number_of_a_copy(hotel: Hotel, invoice: str, copy: str) -> None:
    answer = hotel.get(f"/invoices/{invoice}/pdf", copyNumber=copy)

    assert answer.status_code in (400, 409), answer.text
    if answer.status_code == 400:
        assert_refused(answer, 400, GENERAL + "VALIDATION_FAILED")
