"""A till to test with: a drawer, its session, and the people who count it.

    till = Till.opened(hotel, usd(10_000))
    till.initiate(usd(9_500))
    answer = till.close(usd(9_500))

Karim sits at the till, Laila confirms, Farid explains. What they sign is worked out here anew, from
the rule alone: SHA-256 over sorted JSON without spaces (RFC 8785).
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Self

from werkzeug.test import TestResponse

from tests.hotel import Hotel, charge

OPERATE = "billing.cash_drawer.operate"
CLOSE = "billing.cash_drawer.close"
ACKNOWLEDGE = "billing.cash_drawer.acknowledge_discrepancy"
Amount = dict[str, Any]


def counted(*amounts: Amount) -> list[dict[str, Any]]:
    """A count of amounts, without denominations."""
    return [{"amount": amount} for amount in amounts]


def by_pieces(currency: str, *pieces: tuple[int, int]) -> dict[str, Any]:
    """A count of one currency by denomination: (cents, pieces) each."""
    denominations = [{"valueMicro": cents * 10_000, "pieces": n} for cents, n in pieces]
    total = sum(each["valueMicro"] * each["pieces"] for each in denominations)
    amount = {"amountMicro": total, "currency": currency}
    return {"amount": amount, "denominations": denominations}


def signed(**document: Any) -> str:
    """The SHA-256 of what is signed, in hex."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Till:
    """A drawer with a session."""

    hotel: Hotel
    drawer: str
    session: str
    karim: str = "karim"
    laila: str = "laila"
    farid: str = "farid"

    @classmethod
    def opened(cls, hotel: Hotel, *amounts: Amount, by: str = "karim") -> Self:
        """A drawer of its own, opened with a float."""
        drawer = new_drawer(hotel)
        answer = open_drawer(hotel, drawer, *amounts, by=by)
        assert answer.status_code == 201, answer.text
        return cls(hotel, drawer, answer.json["cashSessionId"], karim=by)

    def path(self, what: str = "") -> str:
        return f"/cash-sessions/{self.session}{what}"

    def shown(self, by: str = "karim") -> dict[str, Any]:
        answer = self.hotel.get(self.path(), token=self.hotel.token(sub=by))
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json
        return document

    def move(self, kind: str, amount: Amount, reason: str = "Taxi", **more: Any) -> TestResponse:
        body = {"kind": kind, "amount": amount, "reason": reason}
        more.setdefault("token", self.hotel.token(sub=self.karim))
        return self.hotel.post(self.path("/movements"), body, **more)

    def pay(self, amount: Amount, folio: str = "", **more: Any) -> TestResponse:
        """A guest pays in cash, as a deposit where nothing is owed."""
        folio = folio or self.hotel.open_folio()
        body = {"method": "cash", "amount": amount, "allowCredit": True, **more}
        token = self.hotel.token(sub=self.karim)
        return self.hotel.post(f"/folios/{folio}/payments", body, token=token)

    def paid(self, cents: int) -> str:
        """A guest pays a bill of so many cents, and 10 %, in cash; the folio."""
        folio = self.hotel.open_folio()
        self.hotel.post(f"/folios/{folio}/charges", charge("minibar", cents))
        balance = self.hotel.get(f"/folios/{folio}").json["balance"]
        answer = self.pay(balance, folio, allowCredit=False)
        assert answer.status_code == 201, answer.text
        return folio

    # closing

    def context(self, count: list[dict[str, Any]], *, number: int = 1, by: str = "") -> str:
        """What both persons sign: this count, made by `by`."""
        return signed(
            deed="cash_drawer.close",
            tenant=str(self.hotel.tenant_id),
            session=self.session,
            closedBy=by or self.karim,
            number=number,
            count=[_canonical(part) for part in sorted(count, key=_currency)],
        )

    def initiate(
        self,
        *amounts: Amount,
        count: list[dict[str, Any]] | None = None,
        number: int = 1,
        by: str = "",
        token: str | None = None,
        what: str = "initiate-close",
        **more: Any,
    ) -> TestResponse:
        """Count and sign."""
        by, count = by or self.karim, counted(*amounts) if count is None else count
        scope = OPERATE if what == "initiate-close" else CLOSE
        if token is None:
            context = self.context(count, number=number, by=by)
            token = self.hotel.confirmation(by, scope, context)
        body = {"countNumber": number, "count": count, "stepUpToken": token}
        access = self.hotel.token(sub=by)
        return self.hotel.post(self.path(f"/{what}"), body, token=access, **more)

    def recount(self, *amounts: Amount, by: str, number: int = 2, **more: Any) -> TestResponse:
        """A supervisor counts in the closing actor's place."""
        return self.initiate(*amounts, by=by, number=number, what="recount", **more)

    def close(
        self,
        *amounts: Amount,
        count: list[dict[str, Any]] | None = None,
        number: int = 1,
        closed_by: str = "",
        by: str = "",
        token: str | None = None,
        **more: Any,
    ) -> TestResponse:
        """Confirm the count as a second person."""
        closed_by, by = closed_by or self.karim, by or self.laila
        count = counted(*amounts) if count is None else count
        if token is None:
            context = self.context(count, number=number, by=closed_by)
            token = self.hotel.confirmation(by, CLOSE, context)
        body = {
            "closedBy": closed_by,
            "countNumber": number,
            "count": count,
            "stepUpToken": token,
        }
        access = self.hotel.token(sub=by)
        return self.hotel.post(self.path("/close"), body, token=access, **more)

    def send_back(self, by: str = "", number: int = 1, **more: Any) -> TestResponse:
        """Return the count to be made again."""
        by = by or self.laila
        context = signed(
            deed="cash_drawer.return_to_open",
            tenant=str(self.hotel.tenant_id),
            session=self.session,
            number=number,
        )
        body = {
            "countNumber": number,
            "reason": "The coins were not counted",
            "stepUpToken": self.hotel.confirmation(by, CLOSE, context),
        }
        token = self.hotel.token(sub=by)
        return self.hotel.post(self.path("/return-to-open"), body, token=token, **more)

    def acknowledge(self, by: str = "", explanation: str = "A note was torn", **more: Any) -> Any:
        """Explain the difference as a third person."""
        by = by or self.farid
        context = signed(
            deed="cash_drawer.acknowledge_discrepancy",
            tenant=str(self.hotel.tenant_id),
            session=self.session,
        )
        confirmation = self.hotel.confirmation(by, ACKNOWLEDGE, context)
        body = {"explanation": explanation, "stepUpToken": confirmation}
        token = self.hotel.token(sub=by)
        return self.hotel.post(self.path("/acknowledge-discrepancy"), body, token=token, **more)

    def account(self) -> dict[str, int]:
        """What the ledger says is in the drawer, in cents by currency, recomputed from its rows."""
        rows = self.hotel.rows(
            "SELECT currency, sum(CASE WHEN debit_account = :account THEN amount_micro"
            " ELSE -amount_micro END)::bigint FROM {s}.ledger_entries"
            " WHERE :account IN (debit_account, credit_account) GROUP BY currency",
            account=f"cash:{self.session}",
        )
        return {currency: micro // 10_000 for currency, micro in rows}


def new_drawer(hotel: Hotel, **more: Any) -> str:
    """Put a drawer into use and answer its id."""
    body = {"propertyId": str(hotel.property_id), "name": "Reception", **more}
    answer = hotel.post("/cash-drawers", body)
    assert answer.status_code == 201, answer.text
    drawer: str = answer.json["cashDrawerId"]
    return drawer


def open_drawer(
    hotel: Hotel, drawer: str, *amounts: Amount, by: str = "karim", **more: Any
) -> TestResponse:
    """Open a drawer with a float."""
    path = f"/cash-drawers/{drawer}/sessions"
    return hotel.post(path, {"opening": counted(*amounts)}, token=hotel.token(sub=by), **more)


def over_short(hotel: Hotel) -> list[list[Any]]:
    """What was booked as over or short: debit, credit, micro units, currency."""
    return hotel.rows(
        "SELECT debit_account, credit_account, amount_micro, currency FROM {s}.ledger_entries"
        " WHERE 'cash_over_short' IN (debit_account, credit_account) ORDER BY currency"
    )


def _canonical(part: dict[str, Any]) -> dict[str, Any]:
    denominations = part.get("denominations", [])
    return {**part["amount"], "denominations": sorted(denominations, key=_largest_first)}


def _largest_first(denomination: dict[str, Any]) -> int:
    value: int = denomination["valueMicro"]
    return -value


def _currency(part: dict[str, Any]) -> str:
    code: str = part["amount"]["currency"]
    return code
