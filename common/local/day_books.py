"""The day's second half: folios are closed, invoices are numbered, drawn, verified."""

from datetime import date, datetime, time, timedelta
from functools import partial
from io import BytesIO
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4
from zipfile import ZipFile

from ulid import ULID

from common.local.client import Answer, require, wait_for
from common.local.day import TIME_ZONE, Day, Room, step
from common.local.day_desk import money, shown
from common.local.demo_hotel import KABUL, TENANT_ID
from common.runtime.step_up import context_of

MORNING: Final = time(8)
UNTIL_IT_IS_OVER: Final = timedelta(hours=25)
CREDIT: Final = "billing.credit_note.write"
REFUND: Final = "billing.refund.write"
PAID_CENTS: Final = 130_00
TOO_MUCH_CENTS: Final = 8_65


@step("everybody", "sleeps; the clock moves on to the morning")
def night_passes(day: Day, who: str) -> str:
    """POST /dev/clock: a laptop's clock can be moved, a deployment has no such thing.

    The morning is that after the night in room 118. Who plays the day at five, when the books are
    on the new date already, sleeps through that date as well.
    """
    night = date.fromisoformat(day.left["118"]["night"])
    morning = datetime.combine(night + timedelta(days=1), MORNING, TIME_ZONE)
    return f"200  it is {day.sleep_until(morning):%A, %H:%M}"


@step("night audit (job)", "charges who slept here, and ends the day")
def night_is_audited(day: Day, who: str) -> str:
    """80.00, 2.00 of city tax, and 10 % of the price, on the day that has ended."""
    auditor, folio, night = (
        "night audit (farid)",
        day.left["118"]["folio"],
        day.left["118"]["night"],
    )

    def look() -> dict[str, Any] | None:
        asked = {"propertyId": str(KABUL), "businessDate": night}
        ended = day.get(auditor, "/night-audits", **asked).expect(200).json["items"]
        return ended[0] if ended else None

    ended = wait_for(f"the end of {night}", look)
    shown_folio = day.get(auditor, f"/folios/{folio}").expect(200).json
    dates = {line["businessDate"] for line in shown_folio["lines"]}
    require(shown_folio["balance"] == money(90_00), f"118 owes {shown(shown_folio['balance'])}")
    require(dates == {night}, f"the night is booked on {dates}")
    rooms = next(m for m in ended["guestLedger"] if m["account"] == "revenue:room")
    return f"     room 118 owes 90.00 USD; rooms of {night}: {shown(rooms['amount'])}"


@step("reception (amina)", "closes room 204")
def close_204(day: Day, who: str) -> str:
    """The cent that conversion left over is absorbed, and told."""
    room = day.rooms["204"]
    answer = _close(day, who, room)
    settlement = answer.json["settlement"]
    require(settlement["residualMicro"] == 10_000, f"the residual is {settlement['residualMicro']}")
    return f"200  0.01 USD of conversion absorbed; invoice {room.invoice_number}"


@step("bar (till 3)", "posts a late bill to room 204")
def late_bill(day: Day, who: str) -> str:
    """Too late: what was invoiced stays as it is."""
    path = f"/folios/{day.rooms['204'].folio_id}/charges"
    body = {
        "kind": "food_beverage",
        "description": {"en": "Tea"},
        "unitAmount": money(4_00),
    }
    answer = day.post(who, path, body).expect(409, "FOLIO_CLOSED")
    return f"409  {answer.json['code']}"


@step("card processor", "tells of 130.00 USD captured for room 305")
def captured(day: Day, who: str) -> str:
    """The guest paid on the phone, and too much; an event brings it to the folio."""
    room, payment_id = day.rooms["305"], f"psp_{uuid4().hex[:16]}"
    day.captured(payment_id, money(PAID_CENTS))
    day.neighbours.tell(
        "melmastoon.payment_gateway.payment.captured.v1",
        {
            "paymentId": payment_id,
            "folioId": room.folio_id,
            "amount": money(PAID_CENTS),
        },
    )

    def look() -> dict[str, Any] | None:
        folio = day.get("reception (amina)", f"/folios/{room.folio_id}").expect(200).json
        return folio if folio["balance"] == money(-TOO_MUCH_CENTS) else None

    folio = wait_for("the payment", look)
    day.left["payment"] = folio["lines"][-1]["lineId"]
    day.left["business date"] = folio["lines"][-1]["businessDate"]
    return f"204  event taken; balance {shown(folio['balance'])}"


@step("supervisor (nadia)", "gives the 8.65 back to the card")
def too_much_is_refunded(day: Day, who: str) -> str:
    """Promised in our books first; the processor is asked under the refund's own id."""
    room, amount = day.rooms["305"], money(TOO_MUCH_CENTS)
    refund = {"id": f"rfd_{ULID()}", "paymentId": day.left["payment"], "amount": amount}
    context = context_of(
        deed="folio.refund",
        tenant=str(TENANT_ID),
        folio=room.folio_id,
        payment=refund["paymentId"],
        refund=refund["id"],
        **amount,
    )
    body = {
        **refund,
        "reason": "Paid more than was owed",
        "stepUpToken": day.confirmed(who, REFUND, context),
    }
    promised = day.post(who, f"/folios/{room.folio_id}/refunds", body).expect(201).json
    require(promised["refund"]["status"] == "pending", f"it is {promised['refund']['status']}")
    folio = day.get(who, f"/folios/{room.folio_id}").expect(200).json
    (made,) = folio["refunds"]
    require(made["status"] == "succeeded", f"the processor: {made['status']}")
    require(folio["balance"] == money(0), f"the balance is {shown(folio['balance'])}")
    return f"201  promised, asked for, {made['status']}; balance {shown(folio['balance'])}"


@step("reception (amina)", "closes room 305")
def close_305(day: Day, who: str) -> str:
    """Its invoice has the next number: there are no gaps."""
    room, before = day.rooms["305"], day.rooms["204"].invoice_number
    _close(day, who, room)
    require(
        _place(room.invoice_number) == _place(before) + 1,
        f"{room.invoice_number} does not follow {before}",
    )
    return f"200  invoice {room.invoice_number}, the next number"


@step("accountant (laila)", "looks the two invoices up")
def invoices_are_right(day: Day, who: str) -> str:
    """134.00 less the cent; 121.35."""
    for number, minor in (("204", 133_99), ("305", 121_35)):
        room = day.rooms[number]
        invoice = day.get(who, f"/invoices/{room.invoice_id}").expect(200).json
        require(invoice["total"] == money(minor), f"{room.invoice_number}: {invoice['total']}")
        room.total = shown(invoice["total"])
        day.left[number] = invoice["payloadSha256"]
    return f"200  {day.rooms['204'].total} and {day.rooms['305'].total}"


@step("accountant (laila)", "fetches both PDFs by their signed links")
def pdfs_are_drawn(day: Day, who: str) -> str:
    """They are drawn after the commit, for the event of their issue."""
    for room in day.rooms.values():
        link = wait_for(f"the PDF of {room.invoice_number}", partial(_link, day, who, room))
        room.pdf = day.client.get(link).expect(200).body
        require(room.pdf.startswith(b"%PDF-"), f"{room.invoice_number} is no PDF")
        room.file = day.where(room.pdf)
    return f"302  {len(day.rooms['204'].pdf)} and {len(day.rooms['305'].pdf)} bytes"


@step("accountant (laila)", "sends the invoice of room 204 to the guest")
def invoice_is_sent(day: Day, who: str) -> str:
    """The event names the sending; the address stays in the house."""
    room = day.rooms["204"]
    asked = {"recipients": ["zarmina@example.com"], "language": "fr"}
    sending = day.post(who, f"/invoices/{room.invoice_id}/send", asked).expect(202).json
    day.left["sending"] = sending["sendingId"]
    return f"202  handed over in {sending['language']}, to {sending['recipientCount']}"


@step("notifications", "asks to whom, and fetches what is to be sent")
def sending_is_fetched(day: Day, who: str) -> str:
    """With a scope of its own, which nobody at the desk has."""
    found = day.get(who, f"/sendings/{day.left['sending']}").expect(200).json
    require(found["recipients"] == ["zarmina@example.com"], f"it goes to {found['recipients']}")
    pdf = day.client.get(urlsplit(found["pdfUrl"]).path).expect(200).body
    require(pdf == day.rooms["204"].pdf, "it is another PDF")
    return f"200  one address, and the PDF of {found['number']}"


@step("guest (Zarmina)", "scans the invoice's QR code")
def guest_verifies(day: Day, who: str) -> str:
    """Public, and nothing personal in the answer."""
    room = day.rooms["204"]
    path = f"/api/v1/invoices/{room.invoice_id}/verify"
    answer = day.client.get(path, tenant=TENANT_ID, hash=day.left["204"]).expect(200)
    return f"200  {_genuine(answer, room)}"


@step("tax auditor", "uploads the PDF")
def auditor_verifies(day: Day, who: str) -> str:
    """The file itself, byte for byte."""
    room = day.rooms["204"]
    return f"200  {_genuine(_upload(day, room.pdf), room)}"


@step("forger", "changes one byte of it, and uploads that")
def forgery_is_found(day: Day, who: str) -> str:
    """One byte in the middle."""
    forged = bytearray(day.rooms["204"].pdf)
    forged[len(forged) // 2] ^= 1
    found = _upload(day, bytes(forged)).expect(200).json
    require(found["valid"] is False, f"the forged file passes: {found}")
    return "200  valid: false"


@step("accountant (laila)", "gives 10.00 USD of the room back: it was loud")
def part_is_credited(day: Day, who: str) -> str:
    """The invoice stays as it is; a credit note names it, and takes its share of the taxes back."""
    room = day.rooms["204"]
    shown_invoice = day.get(who, f"/invoices/{room.invoice_id}").expect(200).json
    line = shown_invoice["payload"]["lines"][0]["lineId"]
    note = _credit(day, who, line, 10_00).expect(201).json
    require(note["total"] == money(10_00), f"the credit note is about {shown(note['total'])}")
    require(note["invoiceStatus"] == "credited", f"the invoice is {note['invoiceStatus']}")
    day.left["credited line"] = line
    return f"201  credit note {note['number']}, {shown(note['left'])} of the invoice are left"


@step("accountant (laila)", "gives more back than was paid for it")
def too_much_is_refused(day: Day, who: str) -> str:
    """Credits of a line never come to more than the line."""
    answer = _credit(day, who, day.left["credited line"], 10_000_00)
    return f"422  {answer.expect(422, 'CREDIT_EXCEEDS_INVOICE').json['code']}"


@step("accountant (laila)", "exports the documents of the year")
def documents_are_exported(day: Day, who: str) -> str:
    """A table that ends with its count, and an archive of the e-invoices."""
    period = {"first": "2020-01-01", "last": "2099-12-31"}
    table = day.get(who, "/invoices/export", **period, format="csv").expect(200).body
    end = table.decode().splitlines()[-1].split(",")
    require(end[0] == '"end"', "the table has no end")
    archive = day.get(who, "/invoices/export", **period, format="xml").expect(200).body
    files = ZipFile(BytesIO(archive)).namelist()
    require(f"{day.rooms['204'].invoice_number}.xml" in files, f"there are {files}")
    return f"200  {end[-2]} documents as a table, {len(files) - 1} as e-invoices"


@step("on-call", "looks how long events wait in the outbox")
def events_have_left(day: Day, who: str) -> str:
    """What was committed is published: nothing is older than a second."""

    def look() -> dict[str, Any] | None:
        state = day.client.get("/health/ready").expect(200).json
        return state if state["outboxAgeSeconds"] == 0 else None

    wait_for("the last event's publishing", look)
    return "200  none has waited for a second"


@step("everybody", "goes home; the clock moves on until the date is over")
def date_is_over(day: Day, who: str) -> str:
    """A business date ends at the close hour; half an hour later its books are held together."""
    return f"200  it is {day.sleep_until(day.now() + UNTIL_IT_IS_OVER):%A, %H:%M}"


@step("accountant (laila)", "reads what the night's reconciliation found")
def books_are_matched(day: Day, who: str) -> str:
    """Tills against the ledger, cards against the processor, folios against their lines."""
    of_the_date = {"propertyId": str(KABUL), "businessDate": day.left["business date"]}

    def look() -> dict[str, Any] | None:
        found = day.get(who, "/cash-reconciliations", **of_the_date).expect(200).json["items"]
        return found[0] if found else None

    found = wait_for("the reconciliation", look)
    require(found["status"] == "matched", f"it is {found['status']}: {found['counts']}")
    return f"200  {found['businessDate']} is {found['status']}"


def _close(day: Day, who: str, room: Room) -> Answer:
    answer = day.post(who, f"/folios/{room.folio_id}/close").expect(200)
    folio = answer.json["folio"]
    require(folio["status"] == "closed", f"the folio is {folio['status']}")
    require(folio["balance"] == money(0), f"the balance is {shown(folio['balance'])}")
    room.invoice_id, room.invoice_number = answer.json["invoiceId"], answer.json["invoiceNumber"]
    return answer


def _credit(day: Day, who: str, line: str, minor: int) -> Answer:
    """Credit a part of a line; the second factor is for this line and amount and no other."""
    invoice, amount = day.rooms["204"].invoice_id, money(minor)
    context = context_of(
        deed="credit_note.issue",
        tenant=str(TENANT_ID),
        invoice=invoice,
        lines=[{"line": line, **amount}],
    )
    body = {
        "invoiceId": invoice,
        "lines": [{"lineId": line, "amount": amount}],
        "reason": "The street was loud",
        "stepUpToken": day.confirmed(who, CREDIT, context),
    }
    return day.post(who, "/credit-notes", body)


def _place(number: str) -> int:
    return int(number.rpartition("-")[2])


def _link(day: Day, who: str, room: Room) -> str | None:
    answer = day.get(who, f"/invoices/{room.invoice_id}/pdf")
    if answer.status == 409:
        return None
    return urlsplit(answer.expect(302).headers["Location"]).path


def _upload(day: Day, pdf: bytes) -> Answer:
    path = f"/api/v1/invoices/verify?tenant={TENANT_ID}"
    return day.client.call("POST", path, pdf, headers={"Content-Type": "application/pdf"})


def _genuine(answer: Answer, room: Room) -> str:
    found = answer.expect(200).json
    require(found["valid"] is True, f"it is not valid: {found}")
    require(found["number"] == room.invoice_number, f"it is another one: {found}")
    return f"valid: true, signature {found['signature']}, {found['number']} of {found['issuer']}"


NIGHT_STEPS: Final = (night_passes, night_is_audited)
STEPS: Final = (
    close_204,
    late_bill,
    captured,
    too_much_is_refunded,
    close_305,
    invoices_are_right,
    pdfs_are_drawn,
    invoice_is_sent,
    sending_is_fetched,
    guest_verifies,
    auditor_verifies,
    forgery_is_found,
    part_is_credited,
    too_much_is_refused,
    documents_are_exported,
    events_have_left,
    date_is_over,
    books_are_matched,
)
