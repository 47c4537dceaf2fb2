"""What a company paid by card is taken back, by its bank or at the processor (WH-5).

The money has gone: so the company owes it again. It comes off the account's credit, and first what
of the payment has paid nothing and lies there still. What it had paid is open again: its own
allocations are reversed, the newest before the others, then, where the credit does not reach,
others of the account. A reversal is of a whole allocation; what one reverses beyond the amount goes
to the same invoices once more. So as much is open again as was taken of what had paid something, in
the ageing of that day and of no day before.

No more is taken back of a payment than it came to, whatever a bank adds to its claim. An account
that was closed is on hold then: it owes something. A dispute that is won brings the money to the
account's credit again, and to what is due first; so does a refund that fails after it was made.
"""

from collections.abc import Sequence
from datetime import date

from common.domain.company_account import AccountStatus, CompanyAccount
from common.domain.company_settling import CreditMoved, allocated
from common.domain.dataclass import dataclass
from common.domain.identifiers import AllocationId, ReceiptId
from common.domain.ledger import CARD_CLEARING, DISPUTED_FUNDS, Entry, owed_by
from common.domain.moment import Moment
from common.domain.money import Money
from common.domain.receivable import (
    AccountCredit,
    Allocation,
    CreditKind,
    Receivable,
    TakenBackId,
    oldest_first,
)

_FROM = {
    CreditKind.DISPUTED: DISPUTED_FUNDS,
    CreditKind.DISPUTE_WON: DISPUTED_FUNDS,
    CreditKind.REFUNDED_THERE: CARD_CLEARING,
    CreditKind.REFUND_FAILED: CARD_CLEARING,
}
"""Where the money went, and comes from again: a bank's claim is withheld already, a refund has left
the processor."""
REASONS = {
    CreditKind.DISPUTED: "The bank has asked for the payment's money",
    CreditKind.REFUNDED_THERE: "The payment was given back at the processor",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CardReceipt:
    """A company's card payment with its account, which is locked.

    `moved` is what was taken back of it and given again, `allocations` those of the account that
    stand, the newest first, and `items` the account's items that they are for or that are open.
    """

    account: CompanyAccount
    receipt: AccountCredit
    moved: tuple[AccountCredit, ...]
    allocations: tuple[Allocation, ...]
    items: tuple[Receivable, ...]

    @property
    def left(self) -> Money:
        """What of it was not taken back, or was given again."""
        return Money.total((each.amount for each in self.moved), self.receipt.amount.currency) + (
            self.receipt.amount
        )

    def moved_by(self, kind: CreditKind, cause: str) -> AccountCredit | None:
        """What a dispute or refund of the processor's has moved already, if it has."""
        found = (each for each in self.moved if (each.kind, each.cause) == (kind, cause))
        return next(found, None)


@dataclass(frozen=True, kw_only=True)
class ReceiptTakenBack(CreditMoved):
    """A company's payment was taken back: it owes so much again. `allocations` are those that were
    reversed, and what of them goes to the same invoices still."""

    name = "receivable.payment_taken_back"


@dataclass(frozen=True, kw_only=True)
class ReceiptGivenAgain(CreditMoved):
    """A dispute of a company's payment was won, or a refund of it has failed: what was taken back
    is to its credit again."""

    name = "receivable.payment_given_again"


def take_back(
    paid: CardReceipt, amount: Money, moment: Moment, *, kind: CreditKind, cause: str
) -> ReceiptTakenBack:
    """Take an amount of a payment back, for a bank's claim or a refund; no more than is left of it.

    Refuses: CurrenciesDiffer. Raises ValueError for more than is left.
    """
    account, nothing = paid.account, Money.zero(paid.account.currency)
    if amount > paid.left:
        raise ValueError(f"{amount} is more than what is left of {paid.receipt.id}")
    on = _today(account, moment)
    if account.status is AccountStatus.CLOSED:
        account.status = AccountStatus.ON_HOLD
    own = [each for each in paid.allocations if each.credit_id == paid.receipt.id]
    others = [each for each in paid.allocations if each.credit_id != paid.receipt.id]
    had_paid = Money.total((each.amount for each in own), account.currency)
    free = min(max(paid.left - had_paid, nothing), account.unallocated, amount)
    reversing = _as_far_as(own, amount - free)
    reversed_micro = Money.total((each.amount for each in reversing), account.currency)
    short = max(amount - reversed_micro - account.unallocated, nothing)
    over = max(reversed_micro - (amount - free), nothing)
    if not short.is_zero:
        more = _as_far_as(others, short)
        reversing = [*reversing, *more]
        over = Money.total((each.amount for each in more), account.currency) - short
    back, items = _reversed(paid, reversing, on, REASONS[kind], moment)
    credit = _moved(paid, -amount, on, kind, cause, moment)
    account.unallocated -= amount
    shares = oldest_first(items, over)
    again, changed = allocated(account, items, shares, account.unallocated, moment, None)
    known = {each.invoice_id: each for each in (*items, *changed)}
    entry = Entry(credit.id, 0, owed_by(account.id), _FROM[kind], amount, on)
    return account.told(
        ReceiptTakenBack,
        credit=credit,
        allocations=(*back, *again),
        items=tuple(known.values()),
        entries=(entry,),
        reason=REASONS[kind],
    )


def give_again(
    paid: CardReceipt, taken: AccountCredit, moment: Moment, *, kind: CreditKind
) -> ReceiptGivenAgain:
    """Bring back to the account's credit what a dispute or a refund had taken, and to what is due
    first."""
    account, amount, on = paid.account, -taken.amount, _today(paid.account, moment)
    credit = _moved(paid, amount, on, kind, taken.cause or "", moment)
    account.unallocated += amount
    shares = oldest_first(paid.items, amount)
    given, changed = allocated(account, paid.items, shares, account.unallocated, moment, None)
    entry = Entry(credit.id, 0, _FROM[kind], owed_by(account.id), amount, on)
    return account.told(
        ReceiptGivenAgain, credit=credit, allocations=given, items=changed, entries=(entry,)
    )


def _as_far_as(allocations: Sequence[Allocation], amount: Money) -> list[Allocation]:
    """The first of them that come to the amount together, or all."""
    taken: list[Allocation] = []
    for each in allocations:
        if amount.amount_micro <= 0:
            break
        taken.append(each)
        amount -= each.amount
    return taken


def _reversed(
    paid: CardReceipt, reversing: Sequence[Allocation], on: date, reason: str, moment: Moment
) -> tuple[list[Allocation], tuple[Receivable, ...]]:
    """The reversals, and the items that they open again."""
    account, known = paid.account, {each.invoice_id: each for each in paid.items}
    opened: dict[str, Receivable] = {}
    back: list[Allocation] = []
    for each in reversing:
        reversal = each.reversal(moment.new_id(AllocationId), on, reason)
        back.append(reversal)
        item = known[each.invoice_id].less(reversal.amount)
        known[each.invoice_id] = opened[each.invoice_id] = item
        account.open += each.amount
        account.unallocated += each.amount
    return back, tuple(opened.values())


def _moved(
    paid: CardReceipt, amount: Money, on: date, kind: CreditKind, cause: str, moment: Moment
) -> AccountCredit:
    return AccountCredit(
        id=moment.new_id(TakenBackId),
        account_id=paid.account.id,
        kind=kind,
        amount=amount + Money.zero(paid.account.currency),  # refuses another currency
        business_date=on,
        reference=cause,
        takes_back=ReceiptId(paid.receipt.id),
        cause=cause,
    )


def _today(account: CompanyAccount, moment: Moment) -> date:
    return moment.settings.property(account.property_id).business_date(moment.now)
