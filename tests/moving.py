"""Moving charges between folios in tests: asking for it, and looking at both folios."""

from collections.abc import Callable
from typing import Any

from werkzeug.test import TestResponse

from tests.hotel import Hotel, usd


def path(folio: str) -> str:
    """Where a transfer off a folio is asked for."""
    return f"/folios/{folio}/transfers"


def wanted(to: str, *charges: str, **more: Any) -> dict[str, Any]:
    """These charges, to that folio."""
    asked = {"toFolioId": to, "chargeIds": list(charges), "reason": "He pays for her", **more}
    return {name: value for name, value in asked.items() if value is not None}


def move(hotel: Hotel, folio: str, to: str, *charges: str, **more: Any) -> TestResponse:
    """Move these charges, all of them unless `more` says how much."""
    return hotel.post(path(folio), wanted(to, *charges, **more))


def moves(folio: str, to: str, *charges: str, **more: Any) -> Callable[[Hotel], TestResponse]:
    """The same as something that somebody does at a hotel."""
    return lambda at: move(at, folio, to, *charges, **more)


def cents(lines: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """What each line is, and what it comes to."""
    return [(line["type"], line["amount"]["amountMicro"] // 10_000) for line in lines]


def balances(hotel: Hotel, *folios: str) -> list[int]:
    """What is owed on each, in cents."""
    shown = [hotel.get(f"/folios/{folio}").json["balance"] for folio in folios]
    return [balance["amountMicro"] // 10_000 for balance in shown]


def accounts(hotel: Hotel) -> dict[str, int]:
    """The balance of each account of the ledger, over all folios, in cents; debits count."""
    rows = hotel.rows(
        "SELECT account, sum(micro)::bigint FROM {s}.ledger_entries CROSS JOIN LATERAL (VALUES"
        " (debit_account, amount_micro), (credit_account, -amount_micro)) AS sides (account, micro)"
        " GROUP BY account"
    )
    return {account: micro // 10_000 for account, micro in rows}


def lines_of(hotel: Hotel, folio: str) -> Any:
    """All lines of a folio."""
    return hotel.get(f"/folios/{folio}").json["lines"]


def adjusted(hotel: Hotel, folio: str, charge_id: str, by: int) -> None:
    """A charge is corrected by so many cents."""
    body = {"chargeId": charge_id, "amount": usd(by), "description": "Noise", "reason": "Noise"}
    assert hotel.post(f"/folios/{folio}/adjustments", body).status_code == 201


def untaxed_allowed(hotel: Hotel, *rules: dict[str, Any]) -> None:
    """The hotel may charge without a rule from now on."""
    (house,) = hotel.settings()["properties"]
    properties = [{**house, "allowUntaxed": True, "untaxedUntil": "2099-01-01T00:00:00Z"}]
    hotel.write_settings(taxRules=list(rules), properties=properties)
