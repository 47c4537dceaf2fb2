"""Invoices and credit notes, issued and drawn by several at once."""

from functools import partial

from tests.crediting import credits, voids
from tests.hotel import usd
from tests.trust.races.plays.playbill import post, race, statuses
from tests.trust.races.stage import Stage


@race
def an_invoice_is_drawn_by_its_event_and_by_hand(stage: Stage) -> None:
    """Each copy has its number, and the issued one is number 0."""
    _, invoice = stage.hotel.closed_folio()
    (told,) = stage.hotel.events("invoice.generated")
    stage.plays("event", lambda at: at.push("on_invoice_generated", told))
    stage.plays("event again", lambda at: at.push("on_invoice_generated", told))
    stage.plays("clerk", partial(post, f"/invoices/{invoice}/regenerate", {}, "again"))

    *events, _ = stage.play()

    assert statuses(events) == {204: 2}
    copies = stage.hotel.rows("SELECT copy FROM {s}.invoice_renditions ORDER BY copy")
    assert [copy for (copy,) in copies] == list(range(len(copies)))
    assert copies


@race
def the_first_documents_of_a_key_are_drawn_at_once(stage: Stage) -> None:
    """One certificate is kept, and both documents bear it."""
    invoices = [stage.hotel.closed_folio()[1] for _ in range(2)]
    told = {each["subject"]: each for each in stage.hotel.events("invoice.generated")}
    for invoice in invoices:
        stage.plays(invoice, lambda at, of=invoice: at.push("on_invoice_generated", told[of]))

    answers = stage.play()

    assert statuses(answers) == {204: 2}
    assert stage.hotel.rows("SELECT count(*) FROM {s}.signing_certificates") == [[1]]
    drawn = stage.hotel.rows("SELECT invoice_id FROM {s}.invoice_renditions ORDER BY 1")
    assert [invoice for (invoice,) in drawn] == sorted(invoices)


def an_invoice_is_sent_by_two_while_it_is_voided(stage: Stage) -> None:
    """Each of them reaches the trail once, in whatever order, and the same key sends once."""
    hotel = stage.hotel
    _, invoice = hotel.closed_folio()
    assert hotel.render(invoice).status_code == 204
    path, asked = f"/invoices/{invoice}/send", {"recipients": ["guest@example.com"]}
    stage.plays("reception", partial(post, path, asked, "one"))
    stage.plays("reception again", partial(post, path, asked, "one"))
    stage.plays("office", partial(post, path, {"recipients": ["books@example.com"]}, "two"))
    stage.plays("manager", lambda at: voids(hotel, invoice, key="all", at=at))

    *sent, voided = stage.play()

    assert voided.status_code == 201
    assert set(statuses(sent)) <= {202, 409}
    told = hotel.events("invoice.sent")
    assert len(told) == len(hotel.rows("SELECT id FROM {s}.sendings")) == 2


@race
def two_lines_are_credited_while_the_invoice_is_voided(stage: Stage) -> None:
    """220.00, of which 10.00 are gone: whoever is first, it is credited once and in full."""
    hotel = stage.hotel
    folio = hotel.open_folio()
    first, second = hotel.charged(folio), hotel.charged(folio)
    hotel.paid(folio, usd(22_000))
    invoice = hotel.post(f"/folios/{folio}/close").json["invoiceId"]
    credits(hotel, invoice, (first, usd(1_000)))
    some, more = (first, usd(7_000)), (second, usd(7_000))
    stage.plays("accountant", lambda at: credits(hotel, invoice, some, key="one", at=at))
    stage.plays("another", lambda at: credits(hotel, invoice, more, key="two", at=at))
    stage.plays("manager", lambda at: voids(hotel, invoice, key="all", at=at))

    *_, voided = stage.play()

    assert voided.status_code == 201
    credited = hotel.rows("SELECT credited_micro, status FROM {s}.invoice_credits")
    assert credited == [[220_000_000, "voided"]]
    notes = hotel.rows("SELECT total_micro FROM {s}.invoices WHERE document_type = 'credit_note'")
    assert sum(total for (total,) in notes) == 220_000_000
