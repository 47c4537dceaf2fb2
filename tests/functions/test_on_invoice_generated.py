"""Drawing an issued invoice: after the guest has gone, again where it failed, and once (INV-6)."""

import hashlib
import json
import threading
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from common.ports.powers import SignedDigest
from common.runtime.declaration import declaration_of
from common.runtime.job import Orders
from jobs.render_invoice_backlog import render_invoice_backlog
from tests.hotel import Hotel
from tests.proofs import assert_books_are_right, assert_nothing_personal, state, told, trail
from tests.together import at_once

BROKEN = "invoice-9"  # a template that was never made
TEN, LATER = "2026-03-10T10:00:00Z", "2026-03-10T10:05:00Z"


def _queue(hotel: Hotel) -> list[list[Any]]:
    return hotel.rows("SELECT attempts, last_error, next_attempt_at FROM {s}.render_queue")


def _after(instant: str, moment: datetime) -> float:
    return (moment - datetime.fromisoformat(instant)).total_seconds()


def _backlog(hotel: Hotel) -> Any:
    """Run the job that finds what was left behind, for this hotel."""
    return hotel.house.wiring.job_shell.run(
        declaration_of(render_invoice_backlog),  # type: ignore[arg-type]
        Orders(tenants=(hotel.tenant_id,)),
        stop=threading.Event(),
        tell=lambda _: None,
    )


@pytest.mark.req("INV-3", "INV-6", "INV-7", "CLO-2")
def test_signs_draws_and_stores_the_issued_copy(hotel: Hotel) -> None:
    _, invoice_id = hotel.closed_folio()

    answer = hotel.render(invoice_id)

    assert answer.status_code == 204, answer.text
    assert _queue(hotel) == []
    ((digest, version, algorithm, signature),) = hotel.rows(
        "SELECT payload_sha256, key_version, algorithm, signature FROM {s}.invoices"
        " JOIN {s}.invoice_signatures ON invoice_id = id"
    )
    keys = hotel.house.wiring.keys
    assert keys.verify(hotel.tenant_id, digest, SignedDigest(version, algorithm, signature))
    ((copy, name, pdf_sha256, language, template),) = hotel.rows(
        "SELECT copy, object_name, pdf_sha256, language, template_version"
        " FROM {s}.invoice_renditions"
    )
    assert (copy, language, template) == (0, "en", "invoice-2")
    pdf = hotel.house.wiring.documents.get(hotel.tenant_id, name)
    assert pdf.startswith(b"%PDF-")
    assert hashlib.sha256(pdf).digest() == pdf_sha256
    number = hotel.get(f"/invoices/{invoice_id}").json["number"]
    assert hotel.house.wiring.printer.identity(pdf) == (number, digest.hex())


@pytest.mark.req("EVT-5", "INV-6")
def test_draws_once_however_often_it_is_told(hotel: Hotel) -> None:
    """The same event again, and another event of the same invoice."""
    _, invoice_id = hotel.closed_folio()
    hotel.render(invoice_id)
    before = state(hotel, without=("inbox", "idempotency_keys"))

    again = hotel.render(invoice_id)
    (event,) = hotel.events("invoice.generated")
    other = hotel.push("on_invoice_generated", {**event, "id": "evt_another"})

    assert (again.status_code, other.status_code) == (204, 204)
    assert state(hotel, without=("inbox", "idempotency_keys")) == before


@pytest.mark.req("EVT-5", "INV-6")
def test_draws_one_copy_when_the_event_comes_twice_at_once(hotel: Hotel) -> None:
    _, invoice_id = hotel.closed_folio()

    answers = at_once([partial(hotel.render, invoice_id)] * 2)

    assert {answer.status_code for answer in answers} <= {204, 503}  # 503: comes again
    assert hotel.rows("SELECT copy FROM {s}.invoice_renditions") == [[0]]
    assert hotel.rows("SELECT count(*) FROM {s}.invoice_signatures") == [[1]]
    assert_books_are_right(hotel)


@pytest.mark.req("EVT-1", "AUD-1", "GDPR-1")
def test_tells_that_it_was_drawn(hotel: Hotel) -> None:
    _, invoice_id = hotel.closed_folio(guest={"name": "Zarmina Ahmadi"})

    hotel.render(invoice_id)

    assert told(hotel)[-1] == "invoice.rendered"
    event = hotel.events("invoice.rendered")[0]
    assert (event["subject"], event["sequence"]) == (invoice_id, "2")
    assert event["data"]["copyNumber"] == 0
    (entry,) = trail(hotel, "invoice.rendered")
    assert entry["actor"] == "system:on_invoice_generated"
    generated = hotel.events("invoice.generated")[0]
    assert event["traceparent"][3:35] == generated["traceparent"][3:35] == entry["trace_id"]
    assert_books_are_right(hotel)
    assert_nothing_personal(hotel, "Zarmina")


@pytest.mark.req("INV-6", "CLO-2")
def test_a_broken_template_keeps_no_guest_and_is_tried_again(hotel: Hotel, clock) -> None:
    """The folio closes; the queue keeps the reason; after 10 seconds follows a pause of 20."""
    hotel.write_settings(invoiceTemplate=BROKEN)
    clock(TEN)
    _, invoice_id = hotel.closed_folio()

    clock(TEN)
    first = hotel.render(invoice_id)
    pauses = [_queue(hotel)[0]]
    clock(LATER)
    _backlog(hotel)
    pauses.append(_queue(hotel)[0])

    assert first.status_code == 204  # taken in: the queue knows, the event need not come again
    assert [attempts for attempts, _, _ in pauses] == [1, 2]
    assert all(BROKEN in error for _, error, _ in pauses)
    assert _after(TEN, pauses[0][2]) >= 9
    assert _after(LATER, pauses[1][2]) >= 19
    assert hotel.rows("SELECT count(*) FROM {s}.invoice_renditions") == [[0]]
    assert hotel.rows("SELECT count(*) FROM {s}.invoice_signatures") == [[1]]
    assert told(hotel)[-1] == "invoice.generated"


@pytest.mark.req("INV-6", "JOB-1")
def test_a_job_finishes_once_the_template_is_rolled_back(hotel: Hotel, clock) -> None:
    clock(TEN)
    hotel.write_settings(invoiceTemplate=BROKEN)
    _, invoice_id = hotel.closed_folio()
    hotel.render(invoice_id)
    hotel.write_settings(invoiceTemplate=BROKEN, invoiceTemplates={BROKEN: "invoice-1"})

    clock(TEN)
    too_soon = _backlog(hotel)
    clock(LATER)
    in_time = _backlog(hotel)
    nothing = _backlog(hotel)

    assert [each.done for each in (too_soon, in_time, nothing)] == [0, 1, 0]
    assert _queue(hotel) == []
    ((copy, template),) = hotel.rows("SELECT copy, template_version FROM {s}.invoice_renditions")
    assert (copy, template) == (0, "invoice-1")
    assert hotel.rows("SELECT template_version FROM {s}.invoices") == [[BROKEN]]
    assert_books_are_right(hotel)


@pytest.mark.req("INV-6", "JOB-1")
def test_a_job_draws_what_no_event_has_told(hotel: Hotel) -> None:
    """An event that was lost: the invoice waits in the queue from the moment it is issued."""
    for _ in range(2):
        hotel.closed_folio()

    done = _backlog(hotel)

    assert (done.done, done.failed, done.exit_code) == (2, 0, 0)
    assert hotel.rows("SELECT copy FROM {s}.invoice_renditions") == [[0], [0]]
    assert [e["actor"] for e in trail(hotel, "invoice.rendered")] == [
        "system:render_invoice_backlog"
    ] * 2


@pytest.mark.req("EVT-5")
def test_an_invoice_that_is_not_there_becomes_a_dead_letter(hotel: Hotel) -> None:
    hotel.closed_folio()
    (event,) = hotel.events("invoice.generated")
    unknown = event["subject"][:-4] + "ZZZZ"
    data = {**event["data"], "invoiceId": unknown}

    answer = hotel.push("on_invoice_generated", {**event, "id": "evt_x", "data": data})

    assert answer.status_code == 204
    assert [reason.split(":")[0] for reason in hotel.letters()] == [
        "MELMASTOON.BILLING.INVOICE_UNKNOWN"
    ]
    assert json.dumps(hotel.events("invoice.rendered")) == "[]"
