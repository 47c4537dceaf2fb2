"""A line of an invoice as it was signed, and the portions in which it is taken back.

The signed payload is what a credit note corrects, so it is read from there and from nowhere else:
where tax is rounded per invoice, a row's tax is known to the document alone (TAX-3).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from common.domain.dataclass import dataclass
from common.domain.identifiers import LineId
from common.domain.money import Currency, Money


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxPortion:
    """A tax on a line, or the part of it that is credited; `base` is what it is a tax on."""

    code: str
    name: str
    rate_ppm: int | None
    category: str
    inclusive: bool
    base: Money
    amount: Money
    levy: bool = field(default=False, compare=False)  # rows from before know nothing of it


@dataclass(frozen=True, slots=True)
class Portion:
    """A line's net price and taxes, or a part of them."""

    net: Money
    taxes: tuple[TaxPortion, ...]

    @property
    def gross(self) -> Money:
        """The net price and all taxes."""
        return Money.total((self.net, *(tax.amount for tax in self.taxes)), self.net.currency)

    @property
    def none(self) -> "Portion":
        """Nothing of it."""
        return self.less(self)

    def plus(self, other: "Portion") -> "Portion":
        """Both together; `other` is of the same line."""
        return self._with(other, 1)

    def less(self, other: "Portion") -> "Portion":
        """What is left without `other`, of the same line."""
        return self._with(other, -1)

    def share(self, amount: Money) -> "Portion":
        """So much of it, in proportion, to the minor unit (MON-3); never more of any part.

        `amount` has the sign of the gross, and is not more; all of it is exactly this.
        """
        gross = self.gross
        if amount == gross:
            return self
        way = 1 if gross.amount_micro > 0 else -1
        parts = [self.net, *(tax.amount for tax in self.taxes)]
        weights = [max(0, way * part.minor_units) for part in parts]
        net, *taxes = amount.allocate(weights)
        fraction = abs(amount.minor_units), abs(gross.minor_units)
        return Portion(
            net,
            tuple(
                replace(tax, amount=share, base=tax.base.times(*fraction))
                for tax, share in zip(self.taxes, taxes, strict=True)
            ),
        )

    def _with(self, other: "Portion", sign: int) -> "Portion":
        def moved(mine: Money, theirs: Money) -> Money:
            return mine + theirs if sign > 0 else mine - theirs

        return Portion(
            moved(self.net, other.net),
            tuple(
                replace(
                    mine,
                    base=moved(mine.base, theirs.base),
                    amount=moved(mine.amount, theirs.amount),
                )
                for mine, theirs in zip(self.taxes, other.taxes, strict=True)
            ),
        )


@dataclass(frozen=True, slots=True)
class InvoicedLine:
    """A row of an invoice: `document` is the row as it was signed."""

    id: LineId
    kind: str
    document: Mapping[str, Any]
    portion: Portion


def invoiced_lines(payload: str) -> tuple[Sequence[InvoicedLine], Money]:
    """The rows of a signed invoice, and the residual of conversion that was rounded away."""
    signed = json.loads(payload)
    currency = Currency(signed["currency"])
    lines = [
        InvoicedLine(LineId(row["lineId"]), row["kind"], row, portion_of(row, currency))
        for row in signed["lines"]
    ]
    return lines, Money(signed["totals"]["roundingMicro"], currency)


def portion_of(row: Mapping[str, Any], currency: Currency) -> Portion:
    """The portion that a document or a row of the database holds."""
    return Portion(
        Money(row["netMicro"], currency),
        tuple(
            TaxPortion(
                code=tax["code"],
                name=tax["name"],
                rate_ppm=tax["ratePpm"],
                category=tax["category"],
                inclusive=tax["inclusive"],
                base=Money(tax["baseMicro"], currency),
                amount=Money(tax["amountMicro"], currency),
                levy=tax.get("levy", False),
            )
            for tax in row["taxes"]
        ),
    )


def portion_document(portion: Portion) -> dict[str, Any]:
    """A portion as documents and rows hold it."""
    return {
        "netMicro": portion.net.amount_micro,
        "taxMicro": (portion.gross - portion.net).amount_micro,
        "grossMicro": portion.gross.amount_micro,
        "taxes": [
            {
                "code": tax.code,
                "name": tax.name,
                "ratePpm": tax.rate_ppm,
                "amountMicro": tax.amount.amount_micro,
                "baseMicro": tax.base.amount_micro,
                "category": tax.category,
                "inclusive": tax.inclusive,
                "levy": tax.levy,
            }
            for tax in portion.taxes
        ],
    }
