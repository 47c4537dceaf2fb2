"""Accounts of prepaid credits without a database: `Credits` keeps them as a store would.

A command works on shallow copies of the accounts, which are kept when it succeeds and dropped when
it is refused. Amounts are micro credits, as small as one likes.
"""

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from common.domain.identifiers import (
    CreditAccountId,
    CreditHoldId,
    CreditLotId,
    FolioId,
    PaymentId,
    RefundId,
)
from common.domain.money import Money
from common.domain.payment import Payment, PaymentMethod
from common.domain.prepaid_account import MAIN, CreditAccount, CreditEntry, EntryKind
from common.domain.prepaid_claw_back import ClawBack, GrantedCredits, claw_back, waive
from common.domain.prepaid_expiry import CreditsExpiring, expire, warn
from common.domain.prepaid_grant import CreditGrant, grant
from common.domain.prepaid_hold import CreditHold
from common.domain.prepaid_lot import CreditLot, CreditSource
from common.domain.prepaid_redemption import Redemption, redeem, restore
from common.domain.prepaid_reversal import DebtMove, give_back
from common.domain.prepaid_spend import Use, capture, deduct, hold, release
from common.domain.prepaid_terms import CreditTerms
from common.domain.prepaid_transfer import transfer
from common.domain.refund import Refund
from tests.domain.front_desk import USD, Desk, settings_of

HOUR = timedelta(hours=1)
KEPT: Final = frozenset(
    {EntryKind.GRANT, EntryKind.EXPIRE, EntryKind.TRANSFER_IN, EntryKind.TRANSFER_OUT}
)
GONE: Final = frozenset(EntryKind) - KEPT
"""What takes credits of a grant for good, or brings them back: all but its expiry."""


class Credits:
    """A tenant's accounts, everything that moved on them, and what was taken back."""

    def __init__(self, **terms: Any) -> None:
        self.desk = Desk(settings_of(credits=CreditTerms(**terms)))
        self.accounts: dict[str, CreditAccount] = {}
        self.entries: list[CreditEntry] = []
        self.holds: dict[CreditHoldId, CreditHold] = {}
        self.claw_backs: list[ClawBack] = []
        self.warned: set[tuple[str, int]] = set()
        self.reversed: set[int] = set()
        self.payments: list[tuple[str, Payment]] = []
        self.refunds: dict[str, str] = {}

    @property
    def now(self) -> datetime:
        return self.desk.now

    def passes(self, time: timedelta) -> None:
        self.desk.now += time

    def account(self, name: str = MAIN) -> CreditAccount:
        """A copy of an account; it opens when it is first asked for."""
        if name not in self.accounts:
            self.accounts[name] = CreditAccount(
                id=self.desk.new_id(CreditAccountId), name=name, opened_at=self.now
            )
        return copy.copy(self.accounts[name])

    def grant(
        self,
        micro: int,
        source: str = "promotion",
        lasts: timedelta | None = None,
        account: str = MAIN,
    ) -> CreditLotId:
        lot_id = self.desk.new_id(CreditLotId)
        key = {"purchase": f"purchase:{lot_id}", "renewal": f"renewal:{lot_id}:1"}
        wanted = CreditGrant(
            id=lot_id,
            source=CreditSource(source),
            source_key=key.get(source, f"grant:{lot_id}"),
            credits_micro=micro,
            reason="so",
            expires_at=None if lasts is None else self.now + lasts,
        )
        self._does(lambda at: grant(at, wanted, self.desk), account)
        return lot_id

    def deduct(self, micro: int, account: str = MAIN) -> CreditEntry:
        use = Use(credits_micro=micro, service="concierge")
        entry: CreditEntry = self._does(lambda at: deduct(at, use, self.desk), account).entry
        return entry

    def hold(self, micro: int, lasts: timedelta = HOUR, account: str = MAIN) -> CreditHoldId:
        hold_id = self.desk.new_id(CreditHoldId)
        use = Use(credits_micro=micro, service="concierge")
        self._does(lambda at: hold(at, hold_id, use, lasts, self.desk), account)
        return hold_id

    def capture(self, hold_id: CreditHoldId, micro: int) -> CreditEntry:
        held = self.holds[hold_id]
        does = self._does(lambda at: capture(at, held, micro, self.desk), self._of(held))
        entry: CreditEntry = does.entry
        return entry

    def release(self, hold_id: CreditHoldId) -> None:
        held = self.holds[hold_id]
        self._does(lambda at: release(at, held, self.desk), self._of(held))

    def transfer(self, micro: int, source: str = MAIN, target: str = "spa") -> None:
        one = self.account(source)
        other = one if source == target else self.account(target)
        transfer(one, other, micro, None, self.desk)
        self._keep(one, other)

    def expire(self, account: str = MAIN) -> Any:
        return self._does(lambda at: expire(at, self.desk), account)

    def warn(self, account: str = MAIN) -> list[CreditsExpiring]:
        at = self.account(account)
        told = warn(at, self.warned, self.desk)
        self.warned |= {(each.lot.id, each.days_before) for each in told}
        self._keep(at)
        return told

    def claw_back(self, lot_id: CreditLotId, micro: int) -> ClawBack:
        copies = [self.account(name) for name in self.accounts]
        root = next(lot for at in copies for lot in at.lots if lot.id == lot_id)
        before = self.standing(lot_id)
        granted = GrantedCredits(
            root=root,
            spent_micro=self.used_of(lot_id),
            asked_micro=sum(each.asked_micro for each in before),
            owed_micro=sum(each.debt_micro for each in before),
        )
        key = f"refund:{len(self.claw_backs)}"
        taken = claw_back(copies, granted, micro, key, "refunded", self.desk)
        self._keep(*copies)
        self.claw_backs.append(taken.claw_back)
        return taken.claw_back

    def reverse(self, place: int) -> int:
        """Give back what a claw-back took; how many credits came back."""
        taken = self.claw_backs[place]
        at = self.account(self._named(taken.lot_id))
        moves = [
            DebtMove(entry.kind, entry.reference, entry.debt_micro)
            for entry in self.entries
            if entry.account_id == at.id and entry.debt_micro
        ]
        given = give_back(at, taken, moves, "won", self.desk)
        self._keep(at)
        self.reversed.add(place)
        return given.reversal.returned_micro

    def waive(self, micro: int, account: str = MAIN) -> None:
        self._does(lambda at: waive(at, micro, "a bad year", self.desk), account)

    def redeem(self, micro: int, account: str = MAIN) -> Payment:
        """Let credits settle a bill, at one micro credit to a micro unit."""
        at = self.account(account)
        payment = Payment(
            id=self.desk.new_id(PaymentId),
            folio_id=self.desk.new_id(FolioId),
            method=PaymentMethod.CREDITS,
            paid=Money(micro, USD),
            amount=Money(micro, USD),
            fx=None,
            business_date=self.now.date(),
            credit_account_id=at.id,
            credits_micro=micro,
        )
        redeem(at, payment, self.desk)
        self._keep(at)
        self.payments.append((account, payment))
        return payment

    def restore(self, place: int, micro: int) -> None:
        """Give back so much of a bill, or what is left of it."""
        account, payment = self.payments[place]
        paid = min(Money(micro, USD), payment.left)
        refund = Refund(
            id=self.desk.new_id(RefundId),
            folio_id=payment.folio_id,
            payment_id=payment.id,
            method=payment.method,
            paid=paid,
            amount=paid,
            reason="The bill was wrong",
            confirmed=None,
            business_date=self.now.date(),
            promised_at=self.now,
        )
        at = self.account(account)
        restore(at, payment, refund, self._redeemed(payment), self.desk)
        self._keep(at)
        self.refunds[refund.id] = payment.id
        given = payment.refunded_paid_micro + paid.amount_micro
        self.payments[place] = account, replace(payment, refunded_paid_micro=given)

    # what there is

    def spent_of(self, lot_id: CreditLotId) -> int:
        """What was spent of a grant for good: it neither came back, nor was taken, nor expired."""
        taken = sum(each.taken_micro for each in self.standing(lot_id))
        return -self.moved_of(lot_id, *GONE) - taken

    def used_of(self, lot_id: CreditLotId) -> int:
        """The same with what came back when it had expired, and went on in another lot."""
        expiries = {piece.id: piece.expires_at for piece in self.pieces(lot_id)}
        gone_on = (
            share.amount_micro
            for entry in self.entries
            if entry.kind is EntryKind.RESTORE
            for share in entry.shares
            if (until := expiries.get(share.lot_id)) is not None and until <= entry.occurred_at
        )
        return self.spent_of(lot_id) + sum(gone_on)

    def _redeemed(self, payment: Payment) -> Redemption:
        left: dict[CreditLotId, int] = {}
        of_it = [
            e for e in self.entries if self.refunds.get(str(e.reference), e.reference) == payment.id
        ]
        for share in (share for entry in of_it for share in entry.shares):
            left[share.lot_id] = left.get(share.lot_id, 0) - share.amount_micro
        return Redemption(of_it[0].occurred_at, left)

    def standing(self, lot_id: CreditLotId) -> list[ClawBack]:
        """What was taken back of a grant, and not given back."""
        every = enumerate(self.claw_backs)
        return [c for place, c in every if c.lot_id == lot_id and place not in self.reversed]

    def lots(self, account: str = MAIN) -> list[CreditLot]:
        return list(self.accounts[account].lots) if account in self.accounts else []

    def left(self, account: str = MAIN) -> list[int]:
        """What is left of each lot, in the order of their making."""
        return [lot.left_micro for lot in self.lots(account)]

    def pieces(self, root_id: CreditLotId) -> list[CreditLot]:
        """The lots of one grant, in all accounts."""
        every = (lot for at in self.accounts.values() for lot in at.lots)
        return [lot for lot in every if lot.root_id == root_id]

    def moved_of(self, root_id: CreditLotId, *kinds: EntryKind) -> int:
        """What entries of these kinds moved of a grant."""
        of_it = {lot.id for lot in self.pieces(root_id)}
        return sum(
            share.amount_micro
            for entry in self.entries
            if entry.kind in kinds
            for share in entry.shares
            if share.lot_id in of_it
        )

    def available(self, account: str = MAIN) -> int:
        return self.account(account).available_micro(self.now)

    def _named(self, root_id: CreditLotId) -> str:
        return next(n for n, at in self.accounts.items() if any(x.id == root_id for x in at.lots))

    def _of(self, held: CreditHold) -> str:
        return next(name for name, at in self.accounts.items() if at.id == held.account_id)

    def _does(self, decide: Callable[[CreditAccount], Any], account: str) -> Any:
        at = self.account(account)
        fact = decide(at)
        self._keep(at)
        return fact

    def _keep(self, *accounts: CreditAccount) -> None:
        for at in accounts:
            self.entries += at.fresh
            self.holds |= {each.id: each for each in at.changed}
            self.accounts[at.name] = replace(at, fresh=(), changed=(), opened=())
