"""Moving credits between two accounts of a tenant: nothing is made, lost or renewed by it.

What is free moves in the order in which it would be spent. It goes on as credits of the same grant,
with the same expiry: where the other account has some of that grant already, they are one lot.

Of an account that owes, what reaches it of purchases pays the debt first, as a purchase of its own
does: else whoever spent what was then refunded would buy for another account, and move it over.
"""

from dataclasses import replace

from common.domain.dataclass import dataclass
from common.domain.identifiers import CreditLotId
from common.domain.moment import Moment
from common.domain.prepaid_account import CreditAccount, CreditEntry, CreditsMoved, EntryKind
from common.domain.prepaid_lot import CreditLot, LotShare, spread
from common.domain.refusal import Unmet


class TransferToSameAccount(Unmet):
    code = "CREDIT_TRANSFER_SAME_ACCOUNT"
    title = "A transfer of credits goes to another account"


@dataclass(frozen=True, kw_only=True)
class CreditsTransferred(CreditsMoved):
    """Credits left one account for another: each of the two tells its half."""

    name = "credits.transferred"
    from_account: str
    to_account: str

    @property
    def entry(self) -> CreditEntry:
        """The movement itself, behind which a debt may have been paid."""
        both = (EntryKind.TRANSFER_OUT, EntryKind.TRANSFER_IN)
        return next(entry for entry in reversed(self.entries) if entry.kind in both)


@dataclass(frozen=True, slots=True)
class MovedCredits:
    """A transfer, as the account that it left and the account that it reached have it."""

    left: CreditsTransferred
    reached: CreditsTransferred


def transfer(
    source: CreditAccount, target: CreditAccount, micro: int, reason: str | None, moment: Moment
) -> MovedCredits:
    """Move credits to another account.

    Refuses: TransferToSameAccount, InsufficientCredits, CreditBalanceLimit, CreditsOutOfRange.
    """
    if source.id == target.id:
        raise TransferToSameAccount()
    source.end_holds(moment)
    target.end_holds(moment)
    source.must_have(micro, moment.now)
    target.must_have_room(micro, moment.settings.credits.maximum_balance_micro)
    taken = spread(source.lots, micro, moment.now)
    reached = [(_there(target, lot, moment), part) for lot, part in taken]
    source.move(
        EntryKind.TRANSFER_OUT,
        [LotShare(lot_id=lot.id, amount_micro=-part) for lot, part in taken],
        moment,
        counterpart=target.id,
        reason=reason,
    )
    for lot, _ in reached:
        target.opens(lot)
    target.move(
        EntryKind.TRANSFER_IN,
        [LotShare(lot_id=lot.id, amount_micro=part) for lot, part in reached],
        moment,
        counterpart=source.id,
        reason=reason,
    )
    target.pay_debt(reached, moment)
    between = {"from_account": source.name, "to_account": target.name, "reason": reason}
    return MovedCredits(
        left=source.told(CreditsTransferred, **between),
        reached=target.told(CreditsTransferred, **between),
    )


def _there(target: CreditAccount, lot: CreditLot, moment: Moment) -> CreditLot:
    """The lot of the same grant in the other account; a new one where it has none."""
    for known in target.lots:
        if known.root_id == lot.root_id:
            return known
    return replace(
        lot,
        id=moment.new_id(CreditLotId),
        account_id=target.id,
        source_key=None,
        granted_micro=0,
        left_micro=0,
        held_micro=0,
    )
