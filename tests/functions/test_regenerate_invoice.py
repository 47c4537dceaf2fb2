"""Drawing an invoice again: a further copy beside the issued one, which stays as it is (INV-6)."""

from functools import partial

import pytest

from common.runtime.declaration import declaration_of
from functions.invoices.regenerate_invoice import regenerate_invoice
from tests.hotel import Hotel, new_id
from tests.proofs import assert_books_are_right, assert_refused, state, trail
from tests.together import at_once


def _copies(hotel: Hotel) -> list[tuple[int, bytes]]:
    """Each copy's number and the bytes that are stored for it."""
    documents = hotel.house.wiring.documents
    rows = hotel.rows("SELECT copy, object_name FROM {s}.invoice_renditions ORDER BY copy")
    return [(copy, documents.get(hotel.tenant_id, name)) for copy, name in rows]


@pytest.fixture
def invoice(hotel: Hotel) -> str:
    """An invoice whose issued copy is drawn."""
    _, invoice_id = hotel.closed_folio()
    assert hotel.render(invoice_id).status_code == 204
    return invoice_id


@pytest.mark.req("INV-6", "INV-4")
def test_adds_copy_1_and_leaves_copy_0(hotel: Hotel, invoice: str) -> None:
    """Even where the tenant has another template by now, the copy is drawn by the issued one."""
    ((_, issued),) = _copies(hotel)
    hotel.write_settings(invoiceTemplate="invoice-9", language="de")

    answer = hotel.post(f"/invoices/{invoice}/regenerate")

    assert answer.status_code == 201, answer.text
    assert (answer.json["copyNumber"], answer.json["error"]) == (1, None)
    (zero, one) = _copies(hotel)
    assert zero == (0, issued)
    assert one[0] == 1
    assert one[1] != issued  # it says that it is a copy
    rows = hotel.rows(
        "SELECT encode(pdf_sha256, 'hex'), language, template_version"
        " FROM {s}.invoice_renditions WHERE copy = 1"
    )
    assert rows == [[answer.json["pdfSha256"], "en", "invoice-2"]]
    shown = hotel.get(f"/invoices/{invoice}").json
    assert shown["copies"] == 2


@pytest.mark.req("INV-6")
def test_draws_the_issued_copy_where_there_is_none_yet(hotel: Hotel) -> None:
    _, invoice_id = hotel.closed_folio()

    answer = hotel.post(f"/invoices/{invoice_id}/regenerate")

    assert answer.json["copyNumber"] == 0
    assert hotel.rows("SELECT count(*) FROM {s}.render_queue") == [[0]]
    before = _copies(hotel)
    hotel.render(invoice_id)
    assert _copies(hotel) == before


@pytest.mark.req("INV-6")
def test_says_why_it_could_not_be_drawn(hotel: Hotel) -> None:
    hotel.write_settings(invoiceTemplate="invoice-9")
    _, invoice_id = hotel.closed_folio()

    answer = hotel.post(f"/invoices/{invoice_id}/regenerate")

    assert (answer.json["copyNumber"], answer.json["pdfSha256"]) == (None, None)
    assert "invoice-9" in answer.json["error"]
    assert _copies(hotel) == []
    assert hotel.rows("SELECT attempts FROM {s}.render_queue") == [[1]]


@pytest.mark.req("API-3")
def test_refuses_an_invoice_that_is_not_there(hotel: Hotel, invoice: str) -> None:
    before = state(hotel)

    answer = hotel.post(f"/invoices/{new_id('inv')}/regenerate")

    assert_refused(answer, 404, "INVOICE_UNKNOWN")
    assert state(hotel) == before
    refusals = {refusal.code for refusal in declaration_of(regenerate_invoice).refusals}
    assert refusals == {"INVOICE_UNKNOWN"}


@pytest.mark.req("SEC-2")
def test_is_for_administrators(hotel: Hotel, invoice: str) -> None:
    token = hotel.token("billing.invoice.read", "billing.folio.write")

    answer = hotel.post(f"/invoices/{invoice}/regenerate", token=token)

    assert_refused(answer, 403, "MELMASTOON.IAM.SCOPE_MISSING")
    assert len(_copies(hotel)) == 1


@pytest.mark.req("API-4")
def test_answers_a_retry_with_the_first_answer_and_one_copy(hotel: Hotel, invoice: str) -> None:
    path = f"/invoices/{invoice}/regenerate"
    _, second = hotel.closed_folio()

    first = hotel.post(path, key="k")
    before = state(hotel)
    again = hotel.post(path, key="k")
    reused = hotel.post(f"/invoices/{second}/regenerate", key="k")

    assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")
    assert_refused(reused, 422, "MELMASTOON.GENERAL.IDEMPOTENCY_KEY_REUSED")
    assert state(hotel) == before
    assert len(_copies(hotel)) == 2


@pytest.mark.req("INV-6")
def test_gives_every_copy_its_own_number_when_two_are_drawn_at_once(
    hotel: Hotel, invoice: str
) -> None:
    """Both are answered with a copy that is stored; the same bytes need no second row."""
    answers = at_once([partial(hotel.post, f"/invoices/{invoice}/regenerate")] * 2)

    assert {answer.status_code for answer in answers} == {201}
    stored = dict(hotel.rows("SELECT copy, encode(pdf_sha256, 'hex') FROM {s}.invoice_renditions"))
    assert sorted(stored) == list(range(len(stored)))
    for answer in answers:
        assert stored[answer.json["copyNumber"]] == answer.json["pdfSha256"]
    assert_books_are_right(hotel)


@pytest.mark.req("EVT-1", "AUD-1")
def test_tells_who_had_it_drawn(hotel: Hotel, invoice: str) -> None:
    hotel.post(f"/invoices/{invoice}/regenerate", token=hotel.token(sub="omid"))

    events = hotel.events("invoice.rendered")
    assert [event["data"]["copyNumber"] for event in events] == [0, 1]
    assert trail(hotel, "invoice.rendered")[1]["actor"] == "omid"
    assert_books_are_right(hotel)
