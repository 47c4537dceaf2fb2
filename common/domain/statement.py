"""A folio's statement: what a guest owes by now, and how it came to that, line by line.

It is read whenever somebody asks, of an open folio as of a closed one. It is not kept, has no
number and bears no signature: what a tax office goes by is the invoice, and only that. So it shows
what an invoice leaves out (a charge and the line that voided it, a refund that failed and the line
that took it back), and behind each line the balance that it left.
"""

from collections.abc import Sequence

from common.domain.dataclass import dataclass
from common.domain.folio import Folio
from common.domain.folio_line import Line, LineType
from common.domain.identifiers import LineId
from common.domain.invoice_payload import Totals
from common.domain.money import Money
from common.domain.payment import Payment
from common.domain.refund import Refund
from common.domain.tax import TaxGroup, invoice_breakdown


@dataclass(frozen=True, slots=True)
class Step:
    """A line, the balance that it left, and the payment or refund that it stands for, if any."""

    line: Line
    balance: Money
    money: Payment | Refund | None

    @property
    def tendered(self) -> Money | None:
        """What the guest handed over, in its own currency; less than nothing is what went back."""
        match self.money:
            case Payment(paid=paid):
                return paid
            case Refund(paid=paid):
                return -paid
            case _:
                return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """See the module. `balance` is `net + tax + rounding - paid + refunded + moved`.

    `refunded` is what was given back or is promised, without the refunds that failed. `moved` is
    what went to other folios of what had been paid ahead; less than nothing is what came from them.
    """

    folio: Folio
    steps: tuple[Step, ...]
    taxes: tuple[TaxGroup, ...]
    net: Money
    tax: Money
    rounding: Money
    paid: Money
    refunded: Money
    moved: Money
    balance: Money


def statement_of(
    folio: Folio,
    lines: Sequence[Line],
    payments: Sequence[Payment],
    refunds: Sequence[Refund],
) -> Statement:
    """State a folio by its lines, in their order.

    Lines that were posted since the folio was read are left to the next statement. Raises
    `ValueError` when the lines do not come to the folio's balance. Refuses: AmountOutOfRange.
    """
    stated = [line for line in lines if line.sequence <= folio.last_line]
    totals = Totals.of(stated, folio.currency)
    if totals.due != folio.balance:
        raise ValueError(f"the lines of {folio.id} come to {totals.due}, not to {folio.balance}")
    paid = -_sum(folio, stated, LineType.PAYMENT)
    moved = _sum(folio, stated, LineType.DEPOSIT_TRANSFER)
    return Statement(
        folio=folio,
        steps=_steps(folio, stated, [*payments, *refunds]),
        taxes=_taxes(stated),
        net=totals.net,
        tax=totals.tax,
        rounding=totals.rounding,
        paid=paid,
        refunded=paid - moved - totals.paid,
        moved=moved,
        balance=folio.balance,
    )


def _steps(
    folio: Folio, lines: Sequence[Line], moved: Sequence[Payment | Refund]
) -> tuple[Step, ...]:
    by_line: dict[LineId, Payment | Refund] = {each.id: each for each in moved}
    balance, steps = Money.zero(folio.currency), []
    for line in lines:
        balance += line.amount
        steps.append(Step(line, balance, by_line.get(line.id)))
    return tuple(steps)


def _taxes(lines: Sequence[Line]) -> tuple[TaxGroup, ...]:
    """The tax lines by rule and rate; what was voided altogether is no tax."""
    groups = invoice_breakdown(line.tax for line in lines if line.tax)
    return tuple(group for group in groups if not (group.tax.is_zero and group.base.is_zero))


def _sum(folio: Folio, lines: Sequence[Line], type: LineType) -> Money:
    return Money.total((line.amount for line in lines if line.type is type), folio.currency)
