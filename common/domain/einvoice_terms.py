"""The terms of EN 16931 that a document is said in: lines, charges, VAT groups, sums (INV-5).

Which term holds what of a document is decided in `common.domain.einvoice`. Amounts are micro units.
"""

from datetime import date
from decimal import Decimal
from typing import Final

from common.domain.dataclass import dataclass
from common.domain.money import MICRO_EXPONENT

UNIT_MICRO: Final = 10**MICRO_EXPONENT
FINEST_MICRO: Final = UNIT_MICRO // 100  # two decimals, whatever the currency has (BR-DEC-*)
PRICE_MICRO: Final = UNIT_MICRO // 10_000  # prices have four
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
        count = abs(self.quantity)
        numerator, denominator = count.as_integer_ratio()
        each, left = divmod(abs(self.net_micro) * denominator, numerator)
        if left or each % PRICE_MICRO:
            return Decimal(abs(self.net_micro) // FINEST_MICRO).scaleb(-2), count
        return Decimal(each // PRICE_MICRO).scaleb(-4), Decimal(1)


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
