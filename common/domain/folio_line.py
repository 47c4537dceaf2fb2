"""The lines of a folio: everything that ever moved its balance, in order, and never changed.

A line's amount is signed by its effect on what the guest owes: a charge and its taxes add, a
payment takes away, and a refund adds again. A correction is a further line that names the one it
corrects.

Taxes stand right behind the line that bears them, and the two are one posting: they are reversed
together and stand on the same document.
"""

from collections.abc import Iterable
from dataclasses import field
from datetime import date
from enum import StrEnum
from typing import Final

from common.domain.dataclass import dataclass
from common.domain.identifiers import ChargeId, LineId
from common.domain.money import Money
from common.domain.nights import Occupancy
from common.domain.tax import TaxAmount, Taxation

Text = dict[str, str]  # a description by language; "und" where the language is not known


class LineType(StrEnum):
    """What a line is to the folio."""

    CHARGE = "charge"
    TAX = "tax"
    PAYMENT = "payment"
    ADJUSTMENT = "adjustment"
    VOID = "void"
    ROUNDING = "rounding"
    REFUND = "refund"
    REFUND_REVERSAL = "refund_reversal"
    DEPOSIT_TRANSFER = "deposit_transfer"


MONEY: Final = frozenset(
    {LineType.PAYMENT, LineType.REFUND, LineType.REFUND_REVERSAL, LineType.DEPOSIT_TRANSFER}
)
"""Lines of money that changed hands or folios, or was to: no consumption, and no tax on it."""


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
    """One line. `sequence` counts from 1 without a gap within its folio; 0 is not written yet.

    `charge_id` ties a tax, an adjustment or a void to the charge it belongs to, a charge to itself,
    and the later stretches of a charge to its first; `corrects` names the very line that a void or
    an adjustment corrects, the payment that a refund gives back, the refund that its reversal takes
    back. `quantity` is a decimal string; `unit_amount` may be finer than the minor unit.
    `moved_from` is set on what came from another folio: the line there that took it away. Of a
    deposit that moves, the line that takes it away adds, and the one where it arrives takes away.
    `untaxed` says why a charge bears no tax, `occupancy` which nights and persons it is for.
    `settings_version` is the one that its taxes were found in. `credited` says whether a credit
    note took something off it, as far as anybody looked.
    """

    sequence: int = 0
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
    occupancy: Occupancy | None = None
    moved_from: LineId | None = None
    credited: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Posting:
    """A charge, an adjustment or the reversal of one, and the tax lines that it bears."""

    line: Line
    tax_lines: tuple[Line, ...]

    @property
    def taxation(self) -> Taxation:
        """The posting as it was posted: net price, taxes, and the price that was asked for."""
        return Taxation.of(self.line.amount, [line.tax for line in self.tax_lines if line.tax])


def standing(lines: Iterable[Line]) -> list[Posting]:
    """The postings among `lines` (in any order, taxes included) that no void among them reverses.

    A void whose posting is not among them stands itself: it reverses what is on another document.
    """
    every = postings(sorted(lines, key=lambda line: line.sequence))
    ids = {posting.line.id for posting in every}
    reversals = {posting.line.corrects for posting in every if _is_void(posting)}
    return [
        posting
        for posting in every
        if posting.line.id not in reversals
        and not (_is_void(posting) and posting.line.corrects in ids)
    ]


def postings(lines: Iterable[Line]) -> list[Posting]:
    """The postings among `lines`, which are in their order and hold no tax without its charge."""
    gathered: list[tuple[Line, list[Line]]] = []
    for line in lines:
        if line.type in MONEY or line.type is LineType.ROUNDING:
            continue
        if line.tax is None:
            gathered.append((line, []))
        else:
            gathered[-1][1].append(line)
    return [Posting(line, tuple(taxes)) for line, taxes in gathered]


def _is_void(posting: Posting) -> bool:
    return posting.line.type is LineType.VOID
