"""One call of everything that changes what companies owe; see `examples`."""

from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

from tests.crediting import credits, lines_of
from tests.hotel import Hotel, usd
from tests.owing import (
    WRITE_OFF,
    company,
    context,
    given_up,
    invoiced,
    pay,
    reversal_context,
    write_off,
)
from tests.trust.faults.scene import Scene, struck_out

Act = Callable[[Hotel], str]


def _sends(method: str, path: str, body: dict[str, Any], **more: Any) -> Act:
    """The same request with the same key, however often it is sent."""
    key = str(uuid4())

    def act(at: Hotel) -> str:
        answer = at.call(method, path, body, key=key, **more)
        return struck_out(f"{answer.status_code} {answer.text}")

    return act


def _opening(scene: Scene) -> Act:
    body = {
        "propertyId": str(scene.hotel.property_id),
        "company": {"name": "Kabul Trading"},
        "creditLimit": usd(50_000),
    }
    return _sends("POST", "/company-accounts", body)


def _changing(scene: Scene) -> Act:
    path = f"/company-accounts/{company(scene.hotel)}"
    return _sends("PATCH", path, {"status": "on_hold", "reason": "Pays late"})


def _paying(scene: Scene) -> Act:
    """An invoice of 110.00 and 40.00 beyond it, allocated as they come in."""
    account = company(scene.hotel)
    invoiced(scene.hotel, account, 10_000)
    body = {"method": "bank_transfer", "amount": usd(15_000)}
    return _sends("POST", f"/company-accounts/{account}/payments", body)


def _setting_off(scene: Scene) -> Act:
    """A credit note of 11.00 over an invoice of 110.00."""
    hotel, account = scene.hotel, company(scene.hotel)
    _, invoice = invoiced(hotel, account, 10_000)
    line = lines_of(hotel, invoice)[0]["lineId"]
    note = credits(hotel, invoice, (line, usd(1_100))).json["creditNoteId"]
    return _sends("POST", f"/company-accounts/{account}/set-offs", {"creditNoteId": note})


def _allocating(scene: Scene) -> Act:
    account = company(scene.hotel)
    assert pay(scene.hotel, account, usd(15_000)).status_code == 201
    invoiced(scene.hotel, account, 10_000)
    return _sends("POST", f"/company-accounts/{account}/allocations", {})


def _reversing(scene: Scene) -> Act:
    account = company(scene.hotel)
    invoiced(scene.hotel, account, 10_000)
    (given,) = pay(scene.hotel, account, usd(11_000)).json["allocations"]
    path = f"/company-accounts/{account}/allocations/{given['allocationId']}/reverse"
    return _sends("POST", path, {"reason": "Another invoice"})


def _writing_off(scene: Scene) -> Act:
    """A confirmation counts once, and with the deed."""
    hotel, account = scene.hotel, company(scene.hotel)
    body = given_up(invoiced(hotel, account, 10_000)[1], usd(4_000))
    token = hotel.confirmation("mariam", WRITE_OFF, context(hotel, account, body))
    access = hotel.token(sub="mariam")
    path = f"/company-accounts/{account}/write-offs"
    return _sends("POST", path, {**body, "stepUpToken": token}, token=access)


def _taking_a_write_off_back(scene: Scene) -> Act:
    """40.00 of 110.00 are owed again."""
    hotel, account = scene.hotel, company(scene.hotel)
    lost = write_off(hotel, account, invoiced(hotel, account, 10_000)[1], usd(4_000))
    given = lost.json["writeOffId"]
    token = hotel.confirmation("mariam", WRITE_OFF, reversal_context(hotel, account, given))
    body = {"reason": "It pays after all", "stepUpToken": token}
    path = f"/company-accounts/{account}/write-offs/{given}/reverse"
    return _sends("POST", path, body, token=hotel.token(sub="mariam"))


COMPANIES: Final[dict[str, Callable[[Scene], Act]]] = {
    "open_company_account": _opening,
    "change_company_account": _changing,
    "record_company_payment": _paying,
    "set_off_credit_note": _setting_off,
    "allocate_credit": _allocating,
    "reverse_allocation": _reversing,
    "write_off_receivable": _writing_off,
    "reverse_write_off": _taking_a_write_off_back,
}
