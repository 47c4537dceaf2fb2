"""Tax in the currency of the tax office, beside that of the document (INV-9).

Where the law asks for it (in the Union: Directive 2006/112/EC art. 230; EN 16931 BT-6 and BT-111),
a document in another currency says its tax in the home currency as well. The rate is the one that
the folio pinned when it opened, so that tax and payments of a stay are converted alike; where it
pinned none, today's of the settings, as for a property that began to ask in the middle of a stay.
Each row of the tax breakdown is converted and rounded once, half away from zero, to the minor unit,
and the total is the sum of the rows, so that what is printed adds up. A credit note takes the rate
of the invoice that it corrects: what was declared by one rate is taken back by the same.
"""

from collections.abc import Iterable, Sequence

from common.domain.dataclass import dataclass
from common.domain.fx import FxRateMissing, FxSnapshot
from common.domain.money import Currency, Money


@dataclass(frozen=True, slots=True)
class TaxRow:
    """A row of a tax breakdown; a tax by the night has no rate."""

    code: str
    rate_ppm: int | None
    category: str
    tax: Money


@dataclass(frozen=True, slots=True)
class HomeTax:
    """The rows in the home currency, and the rate by which they came there."""

    rate: FxSnapshot
    rows: tuple[TaxRow, ...]
    total: Money


def rate_between(home: Currency, other: Currency, rates: Iterable[FxSnapshot]) -> FxSnapshot:
    """The first of the rates that has both currencies. Refuses: FxRateMissing."""
    for rate in rates:
        if {rate.base, rate.quote} == {home, other}:
            return rate
    raise FxRateMissing(f"tax is due in {home} as well")


def in_home_currency(rows: Sequence[TaxRow], home: Currency, rate: FxSnapshot) -> HomeTax:
    """Tax converted row by row. Refuses: FxRateMissing (a rate of other currencies)."""
    converted = tuple(
        TaxRow(row.code, row.rate_ppm, row.category, rate.convert(row.tax)) for row in rows
    )
    return HomeTax(rate, converted, Money.total((row.tax for row in converted), home))
