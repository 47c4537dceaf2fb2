"""A deposit that moves: what stands on a folio in credit goes to another folio of the property.

A folio in credit cannot close until that is refunded or moved (PAY-4). What moves is at most what
the folio is in credit by, and at most what stands on it of payments; a line takes it away here and
its opposite arrives there, in one transaction that holds both folios (FOL-7). Between the two it
passes through an account of its own (`deposits_in_transit`), as an entry belongs to one folio.

What a company is to settle is no money yet, and does not move: the company is billed for what was
left to it on its folio, and for nothing else. It is given back to its account.

The payment stays where it was recorded. What was moved is no longer given back there: it is moved
back first (`common.domain.refund`). So no money is given back twice, whichever way it went.
"""

from dataclasses import replace

from common.domain.dataclass import dataclass
from common.domain.folio import Folio, LinesPosted
from common.domain.folio_line import Line, LineType
from common.domain.identifiers import DepositTransferId, FolioId
from common.domain.moment import Moment
from common.domain.money import AmountNotPositive, Money
from common.domain.refusal import Conflict
from common.domain.transfer import must_go_together


class TransferExceedsCredit(Conflict):
    code = "TRANSFER_EXCEEDS_CREDIT"
    title = "The transfer is more than what the folio is in credit by"


@dataclass(frozen=True, kw_only=True)
class DepositMoved(LinesPosted):
    """Money that stood on a folio in credit went to another: what either of them has of it."""

    name = "folio.deposit_moved"
    from_folio_id: FolioId
    to_folio_id: FolioId


@dataclass(frozen=True, slots=True)
class Moved:
    """A deposit that moved, as the folio that it left and the folio that it reached have it."""

    left: DepositMoved
    reached: DepositMoved


def move_deposit(
    source: Folio,
    target: Folio,
    standing: Money,
    amount: Money,
    moment: Moment,
    *,
    id: DepositTransferId,
    reason: str,
) -> Moved:
    """Move an amount that a folio is in credit by to another one; `standing` is what stands on it
    of money that was paid. Both amounts are in the folios' one currency.

    Refuses: TransferToSameFolio, TransferCrossProperty, CurrenciesDiffer, FolioAlreadyClosed,
    AmountNotPositive, TransferExceedsCredit.
    """
    must_go_together(source, target)
    if amount.amount_micro <= 0:
        raise AmountNotPositive()
    free = min(source.deposits_held, standing)
    if amount > free:
        raise TransferExceedsCredit(creditMicro=free.amount_micro, currency=free.currency)
    house = moment.settings.property(source.property_id)
    line = Line(
        id=id,
        type=LineType.DEPOSIT_TRANSFER,
        kind=LineType.DEPOSIT_TRANSFER,
        description={"und": LineType.DEPOSIT_TRANSFER},
        window=source.window,
        amount=amount.in_minor_units(),
        business_date=house.business_date(moment.now),
        settings_version=moment.settings.version,
        reason=reason,
    )
    arrived = replace(
        line,
        id=moment.new_id(DepositTransferId),
        window=target.window,
        amount=-amount,
        moved_from=id,
    )
    return Moved(
        left=_told(source, line, source, target, reason),
        reached=_told(target, arrived, source, target, reason),
    )


def _told(folio: Folio, line: Line, source: Folio, target: Folio, reason: str) -> DepositMoved:
    return folio.posted(
        DepositMoved,
        folio.add(line),
        reason=reason,
        from_folio_id=source.id,
        to_folio_id=target.id,
    )
