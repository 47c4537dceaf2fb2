"""Companies to test with: an account, what is settled onto it, and what it pays.

    account = company(hotel, limit=usd(100_000))
    folio, invoice = invoiced(hotel, account, 10_000)
    answer = pay(hotel, account, usd(11_000))

What is confirmed by who writes something off is worked out here anew, from the rule alone: SHA-256
over sorted JSON without spaces (RFC 8785).
"""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from werkzeug.test import TestResponse

from tests.hotel import Hotel, charge, new_id, usd
from tests.till import Amount, signed
from tests.webhooks import Webhook, disputed, refunded_there

WRITE_OFF = "billing.receivable.write_off"


def company(hotel: Hotel, limit: Amount | None = None, **more: Any) -> str:
    """An account with a limit of 1,000.00 and thirty days, unless given; its id."""
    body = {
        "propertyId": str(hotel.property_id),
        "company": {"name": "Kabul Trading", "addressLines": ["Street 9"], "taxId": "AF-900"},
        "creditLimit": limit or usd(100_000),
        **more,
    }
    answer = hotel.post("/company-accounts", body)
    assert answer.status_code == 201, answer.text
    account: str = answer.json["companyAccountId"]
    return account


def shown(hotel: Hotel, account: str) -> dict[str, Any]:
    """The account as it is shown."""
    answer = hotel.get(f"/company-accounts/{account}")
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json
    return document


def sums(hotel: Hotel, account: str) -> tuple[int, int, int]:
    """Not invoiced, open, and to its credit, in cents."""
    found = shown(hotel, account)
    names = ("notInvoiced", "open", "unallocated")
    return tuple(found[name]["amountMicro"] // 10_000 for name in names)  # type: ignore[return-value]


def settle(hotel: Hotel, folio: str, account: str, amount: Amount, **more: Any) -> TestResponse:
    """Leave an amount of a folio to a company, each by another clerk."""
    body = {"method": "city_ledger", "amount": amount, "companyAccountId": account, **more}
    more_token = hotel.token(sub=f"clerk-{uuid4()}")
    return hotel.post(f"/folios/{folio}/payments", body, token=more_token)


def settled(hotel: Hotel, account: str, cents: int) -> str:
    """A folio of a charge and its 10 %, all of it left to a company; its id."""
    folio = hotel.open_folio()
    hotel.post(f"/folios/{folio}/charges", charge("minibar", cents))
    answer = settle(hotel, folio, account, hotel.get(f"/folios/{folio}").json["balance"])
    assert answer.status_code == 201, answer.text
    return folio


def close(hotel: Hotel, folio: str) -> str:
    """Close a folio; its invoice."""
    answer = hotel.post(f"/folios/{folio}/close")
    assert answer.status_code == 200, answer.text
    invoice: str = answer.json["invoiceId"]
    return invoice


def invoiced(hotel: Hotel, account: str, cents: int) -> tuple[str, str]:
    """A folio of a charge and its 10 %, left to a company and closed; its id and invoice."""
    folio = settled(hotel, account, cents)
    return folio, close(hotel, folio)


def shares(*given: tuple[str, Amount]) -> list[dict[str, Any]]:
    """Allocations by hand."""
    return [{"invoiceId": invoice, "amount": amount} for invoice, amount in given]


def pay(hotel: Hotel, account: str, amount: Amount, **more: Any) -> TestResponse:
    """A company pays, by transfer unless given, each by another clerk."""
    more.setdefault("token", hotel.token(sub=f"clerk-{uuid4()}"))
    sent = {name: more.pop(name) for name in ("token", "key", "headers") if name in more}
    body = {"method": "bank_transfer", "amount": amount, "reference": "Transfer 9", **more}
    return hotel.post(f"/company-accounts/{account}/payments", body, **sent)


def allocate(hotel: Hotel, account: str, *given: tuple[str, Amount], **more: Any) -> TestResponse:
    """Allocate what is to a company's credit: by hand, or to what is due first."""
    body = {"allocations": shares(*given)} if given else {}
    return hotel.post(f"/company-accounts/{account}/allocations", body, **more)


def set_off(hotel: Hotel, account: str, note: str, **more: Any) -> TestResponse:
    """Set a credit note off, all of it unless given."""
    body = {"creditNoteId": note, **more}
    return hotel.post(f"/company-accounts/{account}/set-offs", body)


def given_up(invoice: str, amount: Amount, **more: Any) -> dict[str, Any]:
    """What a write-off is asked with, without its confirmation."""
    wanted = {"invoiceId": invoice, "amount": amount, "reason": "The company is bankrupt"}
    return {"id": new_id("wof"), **wanted, **more}


def context(hotel: Hotel, account: str, body: dict[str, Any]) -> str:
    """What is confirmed by whoever asks for this write-off."""
    return signed(
        deed="receivable.write_off",
        tenant=str(hotel.tenant_id),
        account=account,
        invoice=body["invoiceId"],
        writeOff=body["id"],
        amountMicro=body["amount"]["amountMicro"],
        currency=body["amount"]["currency"],
    )


def ask(
    hotel: Hotel, account: str, body: dict[str, Any], by: str = "laila", **more: Any
) -> TestResponse:
    """Ask for a write-off, and confirm it."""
    if "stepUpToken" not in body:
        token = hotel.confirmation(by, WRITE_OFF, context(hotel, account, body))
        body = {**body, "stepUpToken": token}
    more.setdefault("token", hotel.token(sub=by))
    return hotel.post(f"/company-accounts/{account}/write-offs", body, **more)


def write_off(
    hotel: Hotel, account: str, invoice: str, amount: Amount, by: str = "laila"
) -> TestResponse:
    """Write an amount of an invoice off."""
    return ask(hotel, account, given_up(invoice, amount), by)


def reversal_context(hotel: Hotel, account: str, write_off_id: str) -> str:
    """What is confirmed by whoever takes this write-off back."""
    deed, tenant = "receivable.take_write_off_back", str(hotel.tenant_id)
    return signed(deed=deed, tenant=tenant, account=account, writeOff=write_off_id)


def take_write_off_back(
    hotel: Hotel, account: str, write_off_id: str, by: str = "laila", **more: Any
) -> TestResponse:
    """Take a write-off back, and confirm it."""
    confirmed = reversal_context(hotel, account, write_off_id)
    token = hotel.confirmation(by, WRITE_OFF, confirmed)
    body = {"reason": "It pays after all", "stepUpToken": token, **more.pop("body", {})}
    more.setdefault("token", hotel.token(sub=by))
    path = f"/company-accounts/{account}/write-offs/{write_off_id}/reverse"
    return hotel.post(path, body, **more)


def writing_off(
    hotel: Hotel, account: str, invoice: str, amount: Amount, by: str
) -> Callable[[Hotel], TestResponse]:
    """The same request with the same key and confirmation, at whatever instance is asked."""
    body = given_up(invoice, amount)
    confirmation = hotel.confirmation(by, WRITE_OFF, context(hotel, account, body))
    sent, token = {**body, "stepUpToken": confirmation}, hotel.token(sub=by)
    path = f"/company-accounts/{account}/write-offs"
    return lambda at: at.post(path, sent, token=token, key=body["id"])


def paid_by_card(hotel: Hotel, cents: int = 11_000, owed: int = 10_000) -> tuple[str, str]:
    """A company that owed an invoice of so much and its 10 %, and paid by card: its account, and
    the processor's payment."""
    account, payment = company(hotel), f"pi_{uuid4()}"
    invoiced(hotel, account, owed)
    answer = pay(hotel, account, usd(cents), method="card", paymentId=payment)
    assert answer.status_code == 201, answer.text
    return account, payment


def taken_back_of_every_kind(hotel: Hotel) -> None:
    """Of three payments of 110.00, 10.00 of one went back at the processor, and 20.00 that have
    come again; banks ask for all of the others, and one of these disputes was won."""
    payments = [paid_by_card(hotel)[1] for _ in range(3)]
    for sent in (
        refunded_there(payments[0], "re_company", 1_000),
        refunded_there(payments[0], "re_again", 2_000),
        refunded_there(payments[0], "re_again", 2_000, "failed", "refund.failed"),
        disputed(payments[1], "dp_company", "needs_response", "created", cents=11_000),
        disputed(payments[2], "dp_company_won", "needs_response", "created", cents=11_000),
        disputed(payments[2], "dp_company_won", "won", "closed", cents=11_000),
    ):
        assert Webhook(hotel).send(sent).json["outcome"] == "applied"
