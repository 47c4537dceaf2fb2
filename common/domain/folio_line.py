"""The lines of a folio: everything that ever moved its balance, in order, and never changed.

A line's amount is signed by its effect on what the guest owes: a charge and its taxes add, a payment
takes away. A correction is a further line that names the one it corrects.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from common.domain.identifiers import ChargeId, LineId
from common.domain.money import Money
from common.domain.tax import TaxAmount

Text = dict[str, str]  # a description by language; "und" where the language is not known


class LineType(StrEnum):
    """What a line is to the folio."""

    CHARGE = "charge"
    TAX = "tax"
    PAYMENT = "payment"
    ADJUSTMENT = "adjustment"
    VOID = "void"
    ROUNDING = "rounding"


class ChargeKind(StrEnum):
    """What a guest consumed; taxes and revenue accounts hang on it."""

    ROOM = "room"
    FOOD_BEVERAGE = "food_beverage"
    SPA = "spa"
    LAUNDRY = "laundry"
    MINIBAR = "minibar"
    TRANSPORT = "transport"
    FEE = "fee"
    DEPOSIT = "deposit"
    TAX = "tax"
    ADJUSTMENT = "adjustment"
    OTHER = "other"


class Source(StrEnum):
    """Where a charge comes from; its own reference is unique within it."""

    POINT_OF_SALE = "pos"
    PROPERTY_SYSTEM = "pms"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line. `sequence` counts from 1 without a gap within its folio.

    `charge_id` ties a tax, an adjustment or a void to the charge it belongs to (a charge to itself);
    `corrects` names the very line that a void or an adjustment corrects. `quantity` is a decimal
    string; `unit_amount` may be finer than the minor unit. `untaxed` says why a charge bears no tax.
    """

    sequence: int
    id: LineId
    type: LineType
    kind: str
    description: Text
    window: str
    amount: Money
    business_date: date
    settings_version: int
    source: str = Source.MANUAL
    external_reference: str | None = None
    service_date: date | None = None
    quantity: str | None = None
    unit_amount: Money | None = None
    charge_id: ChargeId | None = None
    corrects: LineId | None = None
    reason: str | None = None
    tax: TaxAmount | None = None
    untaxed: str | None = None
