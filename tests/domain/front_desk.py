"""A front desk without a database: one hotel, one moment, and short ways to say what happens there.

`Account` keeps a folio as a store would: a command works on a shallow copy, which is kept when it
succeeds and dropped when it is refused.
"""

import copy
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar
from uuid import UUID

from common.domain.charge import Charge
from common.domain.correction import ChargeAdjusted, ChargeVoided, adjust_charge, void_charge
from common.domain.folio import ChargePosted, Folio, LinesPosted, PaymentRecorded
from common.domain.folio_line import ChargeKind, Line
from common.domain.fx import FxSnapshot
from common.domain.guest import Guest
from common.domain.identifiers import (
    CashSessionId,
    ChargeId,
    FolioId,
    Identifier,
    PaymentId,
    PropertyId,
    TenantId,
)
from common.domain.invoice import Invoice, issue
from common.domain.issued_document import Series
from common.domain.ledger import GUEST_DEPOSITS, GUEST_LEDGER, Entry
from common.domain.money import Currency, Money
from common.domain.payment import Payment, PaymentMethod
from common.domain.settings import Issuer, Property, Settings
from common.domain.settlement import FolioClosed, settle
from common.domain.tax import TaxRule
from common.domain.transfer import Transferred, transfer

USD, EUR, AFN, JPY, KWD = map(Currency, ("USD", "EUR", "AFN", "JPY", "KWD"))
KABUL = PropertyId(UUID("0e9b2a64-7c1f-4f0a-8d35-5b6c7d8e9f10"))
TENANT = TenantId(UUID("6f1d0f5e-3a52-4d5c-9b1e-2f7a8c0d4e61"))
GUEST = Guest(name="Amélie van der Straeten", address_lines=("Rue de la Loi 16",), tax_id="BE01")
MORNING = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
"""10:30 in Kabul, on the business date of 2 March."""
TILL = CashSessionId("cds_01K9ZQ0M8Y" + "0" * 16)
"""The session of the drawer that cash goes into."""
EVERY_KIND = frozenset(kind.value for kind in ChargeKind)
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

Id = TypeVar("Id", bound=Identifier)
Told = TypeVar("Told", bound=LinesPosted)


def usd(cents: int) -> Money:
    return Money.of_minor_units(cents, USD)


def rule(code: str = "VAT", percent: int | None = None, **given: object) -> TaxRule:
    """A tax on every kind of charge since 2026, by a rate unless an amount is given."""
    parts: dict[str, object] = {
        "name": f"{code} of Kabul",
        "jurisdiction": "AF-KBL",
        "charge_kinds": EVERY_KIND,
        "rate_ppm": None if percent is None else percent * 10_000,
        "valid_from": date(2026, 1, 1),
    }
    return TaxRule(code=code, **(parts | given))


def rate(base: Currency, text: str, quote: Currency = USD) -> FxSnapshot:
    return FxSnapshot(base, quote, text, "ECB", datetime(2026, 3, 1, 15, 0, tzinfo=UTC))


def house(**given: object) -> Property:
    """A hotel in Kabul (UTC+4:30) whose day ends at four in the morning."""
    parts: dict[str, object] = {
        "id": KABUL,
        "name": "Melmastoon Garden Hotel",
        "code": "KBL",
        "time_zone": "Asia/Kabul",
        "day_close": time(4),
        "currency": USD,
        "jurisdiction": "AF-KBL",
    }
    return Property(**(parts | given))


def settings_of(*rules: TaxRule, hotel: Property | None = None, **given: object) -> Settings:
    hotel = hotel or house()
    parts: dict[str, object] = {
        "tenant_id": TENANT,
        "version": 1,
        "issuer": Issuer(
            name="Melmastoon Garden Hotel",
            address_lines=("14 Wazir Akbar Khan Road", "1001 Kabul"),
            tax_id="AF-9001234567",
            country="AF",
        ),
        "tax_rules": rules,
        "properties": {hotel.id: hotel},
    }
    return Settings(**(parts | given))


class Desk:
    """A moment whose identifiers and salts are counted, so that a test runs the same each time."""

    def __init__(self, settings: Settings | None = None, now: datetime = MORNING) -> None:
        self.settings = settings or settings_of(rule(percent=10))
        self.now = now
        self._made = 0

    def new_id(self, kind: type[Id]) -> Id:
        self._made += 1
        number, text = self._made, ""
        for _ in range(26):
            number, digit = divmod(number, 32)
            text = ALPHABET[digit] + text
        return kind.of(text)

    def new_salt(self) -> bytes:
        self._made += 1
        return hashlib.sha256(f"salt {self._made}".encode()).digest()

    def change(self, **given: object) -> None:
        """Put another version of the settings in force."""
        self.settings = replace(self.settings, version=self.settings.version + 1, **given)


class Account:
    """A folio with all its lines, ledger entries and payments."""

    def __init__(self, desk: Desk | None = None, **opening: object) -> None:
        self.desk = desk or Desk()
        given = {"id": self.desk.new_id(FolioId), "property_id": KABUL, "guest": GUEST} | opening
        self.folio = Folio.open(moment=self.desk, **given).subject
        self.lines: list[Line] = []
        self.entries: list[Entry] = []
        self.payments: list[Payment] = []

    def charge(self, units: int, kind: str = "room", **given: object) -> ChargePosted:
        """Post one piece at `units` minor units of the folio's currency."""
        price = Money.of_minor_units(units, self.folio.currency)
        parts: dict[str, object] = {
            "id": self.desk.new_id(ChargeId),
            "kind": ChargeKind(kind),
            "description": {"en": "Garden room"},
            "quantity": "1",
            "unit_amount": price,
            "amount": price,
        }
        charge = Charge(**(parts | given))
        return self.do(lambda folio: folio.post_charge(charge, self.desk))

    def void(self, charge_id: ChargeId) -> ChargeVoided:
        lines = list(self.lines_of(charge_id))
        return self.do(lambda folio: void_charge(folio, lines, "posted twice", self.desk))

    def adjust(self, charge_id: ChargeId, units: int) -> ChargeAdjusted:
        lines, text = list(self.lines_of(charge_id)), {"en": "Cold water"}
        amount = Money.of_minor_units(units, self.folio.currency)
        return self.do(
            lambda folio: adjust_charge(folio, lines, amount, text, "cold water", self.desk)
        )

    def pay(
        self,
        units: int,
        currency: Currency | None = None,
        method: str = "cash",
        *,
        allow_credit: bool = False,
    ) -> PaymentRecorded:
        paid = Money.of_minor_units(units, currency or self.folio.currency)
        payment = Payment(
            id=self.desk.new_id(PaymentId),
            folio_id=self.folio.id,
            method=PaymentMethod(method),
            paid=paid,
            amount=self.folio.convert(paid),
            fx=self.folio.snapshot_for(paid.currency),
            business_date=self.desk.settings.property(KABUL).business_date(self.desk.now),
            cash_session_id=TILL if method == PaymentMethod.CASH else None,
        )
        recorded = self.do(
            lambda folio: folio.record_payment(payment, self.desk, allow_credit=allow_credit)
        )
        self.payments.append(payment)
        return recorded

    def close(self) -> FolioClosed:
        return self.do(lambda folio: settle(folio, self.lines, self.payments, self.desk))

    def invoice(self, closed: FolioClosed, series: Series) -> Invoice:
        issued = issue(self.folio, self.lines, self.payments, closed.settlement, series, self.desk)
        return issued.subject

    def do(self, command: Callable[[Folio], Told]) -> Told:
        """Run a command on a copy of the folio and keep it, as a store does."""
        folio = copy.copy(self.folio)
        told = command(folio)
        self._keep(folio, told)
        return told

    def _keep(self, folio: Folio, told: LinesPosted) -> None:
        self.lines += folio.fresh
        self.entries += told.entries
        folio.fresh, folio.is_new = (), False
        self.folio = folio
        assert self.in_the_ledger() == max(0, self.balance)
        assert self.in_the_ledger(GUEST_DEPOSITS) == min(0, self.balance)

    def move(self, other: "Account", *charge_ids: ChargeId, **how: Any) -> Transferred:
        """Move charges to another folio, all of them unless `how` says how much."""
        lines = [line for line in self.lines if line.charge_id in charge_ids]
        ends = copy.copy(self.folio), copy.copy(other.folio)
        moved = transfer(*ends, lines, charge_ids, "he pays for her", self.desk, **how)
        for account, folio, told in zip(
            (self, other), ends, (moved.left, moved.reached), strict=True
        ):
            account._keep(folio, told)
        return moved

    def lines_of(self, charge_id: ChargeId) -> Iterator[Line]:
        return (line for line in self.lines if line.charge_id == charge_id)

    @property
    def balance(self) -> int:
        """What is owed, in minor units."""
        return self.folio.balance.minor_units

    def in_the_ledger(self, account: str = GUEST_LEDGER, currency: Currency | None = None) -> int:
        """Debits less credits of an account, in minor units of one currency."""
        currency = currency or self.folio.currency
        booked = [entry for entry in self.entries if entry.amount.currency == currency]
        debits = sum(entry.amount.minor_units for entry in booked if entry.debit == account)
        credits = sum(entry.amount.minor_units for entry in booked if entry.credit == account)
        return debits - credits


def series(**given: object) -> Series:
    return Series(**({"jurisdiction": "AF-KBL", "document_type": "invoice", "year": 2026} | given))


def figures(told: LinesPosted) -> list[tuple[str, int]]:
    """(type, minor units) of each line that was posted."""
    return [(line.type.value, line.amount.minor_units) for line in told.lines]
