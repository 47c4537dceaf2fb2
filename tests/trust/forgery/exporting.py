"""A hotel whose books hold everything once, taken out as an auditor gets them, and written back.

The hotel learns its settings by the events of the tenant service, so that nothing in its books was
put there behind the service's back.
"""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import pg8000.native
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from common.postgres.migrations import provision_tenant
from common.postgres.tenants import register_tenant
from common.sandbox.gateway import DECLINED, LOST
from tests.depositing import booked, canceled, paid_ahead
from tests.depositing import move as move_deposit
from tests.hotel import Hotel, House, charge, usd, vat
from tests.moving import move
from tests.prepaying import deduct, granted, transfer
from tests.redeeming import owing, redeemed
from tests.refunding import card_payment, refund
from tests.reopening import closes, reopened
from tests.trust.verifier import Export, Row

BOOKS: Final = (
    "audit_entries",
    "credit_accounts",
    "credit_book_entries",
    "credit_ledger_entries",
    "folio_lines",
    "folios",
    "invoice_lines",
    "invoice_persons",
    "invoice_renditions",
    "invoice_signatures",
    "invoices",
    "ledger_entries",
    "number_series",
    "payments",
    "refund_settlements",
    "refunds",
    "reopenings",
    "settings_versions",
    "settlements",
)
NO_BOOKS: Final = {
    # their trails are verified like all others; what the rows say beside them is not retold yet
    "cash_drawers": "where drawers stand",
    "cash_movements": "what moved in them",
    "cash_sessions": "who had them, and who closed them",
    # the documents stand among the invoices; what these rows say beside them is not retold yet
    "credit_note_lines": "what credit notes took off which lines",
    "credit_notes": "which invoices they correct, and who confirmed it",
    "invoice_credits": "how much of each invoice they took",
    "idempotency_keys": "answers that were given; they are deleted after 30 days",
    "inbox": "which events were taken in",
    # a certificate's trail commits to it, and it names the key that the verifier is given
    "signing_certificates": "by which certificates PDFs are signed",
    # what a restore has cost: an invariant holds the numbers against the documents' own
    "lost_numbers": "which numbers went with a database that was lost",
    # a signal advises, and its trail commits to it; looks are notes of a job
    "ai_signals": "what was found to be odd",
    "cash_scans": "which days were looked at",
    # an audit's trail commits to its report, which anybody can add up from the ledger
    "night_audits": "what days came to",
    "canceled_reservations": "which reservations were canceled",
    "planned_charges": "what nights were promised at",
    "stays": "who comes when",
    # an account's trail commits to its sums, and invariants hold each of these rows against them
    "account_credits": "what companies paid",
    "company_accounts": "which companies owe how much, on which terms",
    "receivable_allocations": "which invoice they paid with it",
    "receivable_parts": "which settlements that is made of",
    "receivables": "by which invoices they owe it",
    "write_offs": "what they never will pay",
    # its trail is verified like all others; an invariant holds each difference against it
    "reconciliations": "what was found when the books of a date were held against one another",
    # the movements are in the books; invariants hold lots, holds and what was taken back against
    # them
    "credit_claw_back_reversals": "what of that was given back",
    "credit_claw_backs": "what was taken back of which grant",
    "credit_entry_lots": "which lots a movement took from",
    "credit_expiry_warnings": "of which expiries it was told",
    "credit_holds": "what is set aside",
    "credit_lots": "what was granted, and is left of it",
    # the document's trail tells each; invariants hold these rows against it
    "sending_recipients": "to whom documents were sent",
    "sendings": "which documents were sent",
    # the same of what was bought: the trail digests its state, and each grant and booking is held
    # against it
    "credit_purchase_queue": "of which purchases something is still to become",
    "credit_purchases": "what was bought, and where that stands",
    "credit_sale_entries": "what moved of the money of that",
    "credit_top_ups": "how accounts fill themselves up",
    # a review's trail is verified like all others; invariants hold the checks against it
    "reviews": "what waits for a person",
    "risk_checks": "what attempts to pay were found to be",
    "refund_failures": "which refunds failed after they were made: invariants hold each against it",
    "refund_queue": "what the processor is still to be asked",
    "render_queue": "what is still to be drawn",
    # a dispute's trail is verified like all others; what the processor tells is not a book of ours
    "payment_disputes": "what banks ask back",
    "processor_differences": "what differs from the processor's side",
    # a payout's trail is verified like all others; invariants hold its entries against it
    "payouts": "what went to the tenant's own account",
    "payout_accounts": "which account that is",
    "payout_queue": "which payouts the processor is still to be asked for",
    "late_refunds": "what the processor gave back of closed folios",
    "returned_parts": "what of that went back otherwise",
    "returned_payments": "what came by card for closed folios, and went back",
    "webhook_attempts": "what became of each event of the processor",
    "webhook_bodies": "what the processor told, for 90 days",
    "webhook_events": "that the processor told it",
    # their trails are verified like all others, and invariants hold intents against their digests;
    # the money that was taken is a payment and its entries, which are retold
    "customers": "whose cards are kept",
    "data_keys": "what their tokens are sealed under",
    "collection_leases": "which payment collects what a folio owes",
    "payment_intent_queue": "what the processor is still to be asked about payments",
    "payment_intents": "what was to be taken from cards",
    "payment_methods": "which cards were left",
}


def kept_books(house: House) -> Hotel:
    """A hotel with open and closed folios, three invoices, two keys and a refused attempt."""
    hotel = Hotel(house)
    with house.session() as session:
        provision_tenant(session, hotel.tenant_id)
        register_tenant(session, hotel.tenant_id)
    document = hotel.settings()
    rules = document.pop("taxRules")
    for consumer, data in (
        ("on_tenant_settings_updated", document),
        ("on_tenant_tax_rules_updated", {"taxRules": rules}),
        ("on_tenant_settings_updated", {**document, "showFxAtClose": True}),
    ):
        assert hotel.deliver(consumer, data).status_code == 204
    _corrected_and_settled_in_euros(hotel)
    keys = hotel.house.wiring.keys
    keys.rotate(hotel.tenant_id)  # type: ignore[attr-defined]
    _, second = hotel.closed_folio(4_900, guest={"name": "Farid", "taxId": "T-1"})
    assert hotel.render(second).status_code == 204
    assert hotel.post(f"/invoices/{second}/regenerate").status_code == 201
    _billed_again(hotel)
    hotel.closed_folio(100)
    _refunded(hotel)
    _moved(hotel)
    _paid_ahead(hotel)
    _settled_by_credits(hotel)
    hotel.charged(hotel.open_folio(), "minibar", 350)
    for _ in range(2):
        hotel.get("/folios", headers={"X-Tenant-Id": str(uuid4())})
    return hotel


def _corrected_and_settled_in_euros(hotel: Hotel) -> None:
    """A stay of two nights with a bar bill that is voided, an allowance, and a city tax."""
    rules = [vat(), vat(13_333, code="CITY", name="City tax", chargeKinds=["room"])]
    assert hotel.deliver("on_tenant_tax_rules_updated", {"taxRules": rules}).status_code == 204
    folio = hotel.open_folio(
        reservationId=f"RES-{uuid4()}",
        windows=["company"],
        routing={"spa": "company"},
        stay={"arrival": "2026-03-01", "departure": "2026-03-03"},
    )
    words = {"en": "Room", "de": "Zimmer"}
    night = hotel.charged(folio, "room", 9_999, quantity="2", description=words)
    bar = hotel.charged(folio, "minibar", 700, externalReference="check-7", source="pos")
    allowance = {"chargeId": night, "amount": usd(-500), "description": "Noise", "reason": "Lift"}
    assert hotel.post(f"/folios/{folio}/adjustments", allowance).status_code == 201
    voided = hotel.post(f"/folios/{folio}/charges/{bar}/void", {"reason": "Wrong room"})
    assert voided.status_code == 201
    batch = {"charges": [charge("spa", 1_234), charge("laundry", 55)]}
    assert hotel.post(f"/folios/{folio}/charges/batch", batch).status_code == 201
    assert hotel.post(f"/folios/{folio}/close").status_code == 409
    hotel.paid(folio, {"amountMicro": 100_000_000, "currency": "EUR"})
    left = hotel.get(f"/folios/{folio}").json["balance"]
    card = {"method": "card", "amount": left, "paymentId": f"pi-{uuid4()}", "reference": "Desk"}
    assert hotel.post(f"/folios/{folio}/payments", card).status_code == 201
    closed = hotel.post(f"/folios/{folio}/close", token=hotel.token(sub="laila"))
    assert hotel.render(closed.json["invoiceId"]).status_code == 204


def _paid_ahead(hotel: Hotel) -> None:
    """40.00 ahead, of which a part is where 11.00 are owed; and a stay that was canceled, of which
    the card waits for what it gets back."""
    folio, other = paid_ahead(hotel, 4_000), hotel.open_folio()
    hotel.charged(other, "minibar", 1_000)
    assert move_deposit(hotel, folio, other, 2_000).status_code == 201
    name, stay = booked(hotel)
    card_payment(hotel, stay, usd(3_000), LOST)
    canceled(hotel, name)


def _refunded(hotel: Hotel) -> None:
    """Of three payments a part each: by hand in euros, by a card that is declined, and by one that
    nobody answers for."""
    folio = hotel.open_folio()
    euros = {"amountMicro": 30_000_000, "currency": "EUR"}
    part = {"amountMicro": 9_000_000, "currency": "EUR"}
    wired = hotel.paid(folio, euros, allowCredit=True)
    assert refund(hotel, folio, wired, part).status_code == 201
    for processor in (DECLINED, LOST):
        payment = card_payment(hotel, folio, usd(5_000), processor)
        assert refund(hotel, folio, payment, usd(2_000)).status_code == 201


def _settled_by_credits(hotel: Hotel) -> None:
    """Of 20,000 credits 3,000 go to the spa's account and 40 to a service; 110.00 are settled by
    90.00 and 20.00 of the two, and 12.50 of the first come back."""
    granted(hotel, 20_000)
    assert transfer(hotel, 3_000, "spa", reason="For guests of the spa").status_code == 201
    assert deduct(hotel, 40).status_code == 201
    folio = owing(hotel)
    first = redeemed(hotel, folio, 90)
    redeemed(hotel, folio, 20, "spa")
    assert refund(hotel, folio, first, usd(1_250)).status_code == 201


def _moved(hotel: Hotel) -> None:
    """A spa moves to another folio whole, and a quarter of a dinner."""
    hers, his = hotel.open_folio(), hotel.open_folio()
    spa, dinner = hotel.charged(hers, "spa", 1_234), hotel.charged(hers, "food_beverage", 999)
    assert move(hotel, hers, his, spa).status_code == 201
    assert move(hotel, hers, his, dinner, sharePpm=250_000).status_code == 201


def _billed_again(hotel: Hotel) -> None:
    """A minibar bill that was forgotten, and another folio that waits for one."""
    folio, _ = hotel.closed_folio(2_000)
    reopened(hotel, folio)
    hotel.charged(folio, "minibar", 350)
    hotel.paid(folio, hotel.get(f"/folios/{folio}").json["balance"])
    closes(hotel, folio)
    waiting, _ = hotel.closed_folio(1_000)
    reopened(hotel, waiting)


def export_of(hotel: Hotel) -> Export:
    """The hotel's books as they are."""
    with hotel.house.session() as session:
        tables = tables_of(hotel, session)
    documents, tenant = hotel.house.wiring.documents, hotel.tenant_id
    names = [str(row["object_name"]) for row in tables["invoice_renditions"]]
    pdfs = {name: documents.get(tenant, name) for name in sorted(names)}
    return Export(tenant, tables, pdfs, _public_keys(hotel))


def tables_of(hotel: Hotel, session: pg8000.native.Connection) -> dict[str, list[Row]]:
    """The rows of the hotel's books, as a session sees them."""
    return {table: _rows(session, f"{hotel.schema}.{table}") for table in BOOKS}


def _rows(session: pg8000.native.Connection, table: str) -> list[Row]:
    rows = session.run(f"SELECT * FROM {table} AS t ORDER BY t::text") or []
    names = [column["name"] for column in session.columns or []]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _public_keys(hotel: Hotel) -> dict[str, bytes]:
    """What the hotel gives to everybody: the public half of each version of its key."""
    folder = Path(hotel.house.wiring.settings.local_folder) / "keys" / hotel.tenant_id.hex
    keys = {file.stem: load_pem_private_key(file.read_bytes(), None) for file in folder.iterdir()}
    return {
        f"{hotel.tenant_id.hex}/{number}": key.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        for number, key in keys.items()
    }


def write(session: pg8000.native.Connection, hotel: Hotel, before: Export, after: Export) -> None:
    """Make the hotel's rows into what `after` holds, as the owner of the server can.

    Foreign keys are not asked; what the tables' other constraints refuse is refused.
    """
    session.run("SET LOCAL session_replication_role = replica")
    for table in BOOKS:
        name, old, new = f"{hotel.schema}.{table}", before.tables[table], after.tables[table]
        row = f"jsonb_populate_record(NULL::{name}, CAST(:row AS jsonb))"
        for gone in (each for each in old if each not in new):
            session.run(
                f"DELETE FROM {name} AS t WHERE to_jsonb(t) = to_jsonb({row})", row=_json(gone)
            )
        for come in (each for each in new if each not in old):
            session.run(f"INSERT INTO {name} SELECT * FROM {row}", row=_json(come))


def _json(row: Row) -> str:
    return json.dumps(row, default=_plain)


def _plain(value: Any) -> str:
    match value:
        case bytes():
            return "\\x" + value.hex()
        case datetime() | date():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            raise TypeError(f"{type(value).__name__} stands in no column")
