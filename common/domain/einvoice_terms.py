"""The terms of EN 16931 that a document is said in: lines, charges, VAT groups, sums (INV-5).

Which term holds what of a document is decided in `common.domain.einvoice`. Amounts are micro units.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from common.domain.money import MICRO_EXPONENT

UNIT_MICRO: Final = 10**MICRO_EXPONENT
OUTSIDE: Final = "O"


@dataclass(frozen=True, slots=True)
class Vat:
    """A category (BT-151) and its rate; None outside of VAT."""

    category: str
    rate_ppm: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EInvoiceLine:
    """A row without its taxes. `quantity` has the sign of `net_micro`, the price has none."""

    description: str
    quantity: Decimal
    net_micro: int
    vat: Vat
    service_date: date

    @property
    def price(self) -> tuple[Decimal, Decimal]:
        """The net price (BT-146) of how many (BT-149): of one, where that comes out whole."""
        net, count = Decimal(abs(self.net_micro)) / UNIT_MICRO, abs(self.quantity)
        each = (net / count).quantize(Decimal("0.0001"))
        return (each, Decimal(1)) if each * count == net else (net, count)


@dataclass(frozen=True, slots=True, kw_only=True)
class EInvoiceCharge:
    """What a tax other than VAT came to on all lines that treat it alike; negative: given back."""

    reason: str
    amount_micro: int
    vat: Vat


@dataclass(frozen=True, slots=True, kw_only=True)
class VatGroup:
    """What bears VAT of one category and rate, and how much (BG-23)."""

    vat: Vat
    base_micro: int
    tax_micro: int
    reason: str = ""
    reason_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EInvoice:
    """A document in the standard's terms; BT-106 to BT-115 in micro units.

    Where the tax office has another currency (BT-6), `home_tax_micro` is BT-111: VAT alone.
    """

    lines: tuple[EInvoiceLine, ...]
    charges: tuple[EInvoiceCharge, ...]
    vat: tuple[VatGroup, ...]
    rounding_micro: int
    paid_micro: int
    on_account_micro: int
    home_currency: str | None = None
    home_tax_micro: int = 0

    @property
    def is_outside_vat(self) -> bool:
        """Whether no party may be named by a VAT number (BR-O-02)."""
        return any(group.vat.category == OUTSIDE for group in self.vat)

    @property
    def lines_micro(self) -> int:
        """BT-106."""
        return sum(line.net_micro for line in self.lines)

    @property
    def charges_micro(self) -> int:
        """BT-108."""
        return sum(max(charge.amount_micro, 0) for charge in self.charges)

    @property
    def allowances_micro(self) -> int:
        """BT-107."""
        return sum(max(-charge.amount_micro, 0) for charge in self.charges)

    @property
    def net_micro(self) -> int:
        """BT-109."""
        return self.lines_micro - self.allowances_micro + self.charges_micro

    @property
    def tax_micro(self) -> int:
        """BT-110."""
        return sum(group.tax_micro for group in self.vat)

    @property
    def gross_micro(self) -> int:
        """BT-112."""
        return self.net_micro + self.tax_micro

    @property
    def due_micro(self) -> int:
        """BT-115."""
        return self.gross_micro - self.paid_micro + self.rounding_micro
