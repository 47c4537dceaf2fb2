"""How prepaid credits read on the wire: whole micro credits, a million to a credit.

Credits are no money: they have no currency, and no amount of theirs is written as one.
"""

from typing import Annotated, Any

from pydantic import Field

from common.contracts.fields import CreditsMicro, Instant, Token, Word
from common.contracts.references import (
    CreditAccountRef,
    CreditEntryRef,
    CreditHoldRef,
    CreditLotRef,
)
from common.contracts.shapes import Outcome, Request, Shape
from common.domain.moment import Moment
from common.domain.prepaid_account import (
    MAIN,
    CreditAccount,
    CreditEntry,
    CreditsMoved,
)
from common.domain.prepaid_claw_back import TakenBack
from common.domain.prepaid_grant import CreditsGranted
from common.domain.prepaid_hold import CreditHold
from common.domain.prepaid_lot import CreditLot, CreditSource, LotShare, in_turn
from common.domain.prepaid_reversal import CreditsGivenBack
from common.domain.prepaid_spend import CreditsCaptured, CreditsHeld, Use, allowance_left
from common.domain.prepaid_transfer import MovedCredits

TakenBackFor = Annotated[
    Token, Field(pattern="^(refund|dispute):[^:]+$", examples=["dispute:dp_01K9ZQ0M8Y"])
]
"""For which refund or dispute credits are taken back."""


class UseRequest(Request):
    """What is spent, by which service, for what of its own; out of which account."""

    account: Word = MAIN
    credits_micro: CreditsMicro
    service: Annotated[Word, Field(examples=["ai_concierge"])]
    external_reference: Token | None = None

    def use(self) -> Use:
        """As the rules read it."""
        return Use(
            credits_micro=self.credits_micro,
            service=self.service,
            reference=self.external_reference,
        )


class LotShareView(Shape):
    """What a movement did to one lot: to what is left of it, and to what is held."""

    lot_id: CreditLotRef
    amount_micro: int
    held_micro: int

    @classmethod
    def of(cls, share: LotShare) -> "LotShareView":
        return cls(
            lot_id=share.lot_id, amount_micro=share.amount_micro, held_micro=share.held_micro
        )


class CreditEntryView(Shape):
    """A movement of credits. `amountMicro` moved the balance, `heldMicro` what is held, `debtMicro`
    the debt; `meteredMicro` was used, which is more than was deducted where a part was free.
    `counterpart` is the other account of a transfer, `balanceMicro` what it left."""

    entry_id: CreditEntryRef
    sequence: int
    kind: str
    amount_micro: int
    held_micro: int
    debt_micro: int
    metered_micro: int
    balance_micro: int
    lots: tuple[LotShareView, ...]
    service: str | None
    external_reference: str | None
    reason: str | None
    hold_id: CreditHoldRef | None
    counterpart: CreditAccountRef | None
    occurred_at: Instant

    @classmethod
    def of(cls, entry: CreditEntry) -> "CreditEntryView":
        return cls(
            entry_id=entry.id,
            sequence=entry.sequence,
            kind=entry.kind.value,
            amount_micro=entry.amount_micro,
            held_micro=entry.held_micro,
            debt_micro=entry.debt_micro,
            metered_micro=entry.metered_micro,
            balance_micro=entry.balance_micro,
            lots=tuple(LotShareView.of(share) for share in entry.shares),
            service=entry.service,
            external_reference=entry.reference,
            reason=entry.reason,
            hold_id=entry.hold_id,
            counterpart=entry.counterpart,
            occurred_at=entry.occurred_at,
        )


class CreditLotView(Shape):
    """Credits that were granted together: `availableMicro` can be spent of them."""

    lot_id: CreditLotRef
    source: str
    available_micro: int
    expires_at: Instant | None

    @classmethod
    def of(cls, lot: CreditLot, moment: Moment) -> "CreditLotView":
        return cls(
            lot_id=lot.id,
            source=lot.source.value,
            available_micro=lot.free_micro(moment.now),
            expires_at=lot.expires_at,
        )


class SourceView(Shape):
    """What can be spent of the credits of one source."""

    source: str
    available_micro: int


class CreditBalance(Outcome):
    """What an account has. `freeLeftMicro` can still be used this month without a deduction; null
    where everything can. `accountId` is null before the first credits."""

    account: str
    account_id: CreditAccountRef | None
    available_micro: int
    held_micro: int
    debt_micro: int
    free_left_micro: int | None
    by_source: tuple[SourceView, ...]
    expiring_next: CreditLotView | None
    version: int

    @classmethod
    def of(cls, account: CreditAccount, moment: Moment) -> "CreditBalance":
        """As the clock has it: what has expired counts no more, nor does a hold that has ended."""
        seen = account.as_of(moment.now)
        lots = [lot for lot in in_turn(seen.lots) if lot.free_micro(moment.now)]
        ends = [lot for lot in lots if lot.expires_at is not None]
        return cls(
            account=account.name,
            account_id=account.id if account.version else None,
            available_micro=account.available_micro(moment.now),
            held_micro=seen.held_micro,
            debt_micro=account.debt_micro,
            free_left_micro=allowance_left(account, moment),
            by_source=tuple(
                SourceView(
                    source=source.value,
                    available_micro=sum(
                        lot.free_micro(moment.now) for lot in lots if lot.source is source
                    ),
                )
                for source in CreditSource
            ),
            expiring_next=CreditLotView.of(ends[0], moment) if ends else None,
            version=account.version,
        )


class MovedAnswer(Outcome):
    """What moved, and what that left: `availableMicro` can be spent, `heldMicro` is set aside."""

    account: str
    entry: CreditEntryView
    available_micro: int
    held_micro: int
    debt_micro: int
    version: int

    @classmethod
    def of(cls, moved: CreditsMoved, moment: Moment) -> "MovedAnswer":
        return cls(**cls.shared(moved, moved.entry, moment))

    @staticmethod
    def shared(moved: CreditsMoved, entry: CreditEntry, moment: Moment) -> dict[str, Any]:
        """The fields that every answer of it has."""
        account = moved.subject
        return {
            "account": account.name,
            "entry": CreditEntryView.of(entry),
            "available_micro": account.available_micro(moment.now),
            "held_micro": account.held_micro,
            "debt_micro": account.debt_micro,
            "version": account.version,
        }


class GrantAnswer(MovedAnswer):
    """What was granted; `debtPaidMicro` of a purchase went to what the account owed."""

    lot: CreditLotView
    debt_paid_micro: int

    @classmethod
    def granting(cls, granted: CreditsGranted, moment: Moment) -> "GrantAnswer":
        return cls(
            **cls.shared(granted, granted.brought, moment),
            lot=CreditLotView.of(granted.lot, moment),
            debt_paid_micro=granted.debt_paid_micro,
        )


class HoldView(Shape):
    """A hold: `creditsMicro` set aside until `expiresAt`; `capturedMicro` of them were spent."""

    hold_id: CreditHoldRef
    status: str
    credits_micro: int
    captured_micro: int
    service: str
    external_reference: str | None
    expires_at: Instant

    @classmethod
    def of(cls, hold: CreditHold) -> "HoldView":
        return cls(
            hold_id=hold.id,
            status=hold.status.value,
            credits_micro=hold.amount_micro,
            captured_micro=hold.captured_micro,
            service=hold.service,
            external_reference=hold.reference,
            expires_at=hold.expires_at,
        )


class HoldAnswer(MovedAnswer):
    """A hold as it has become, and what that left."""

    hold: HoldView

    @classmethod
    def holding(cls, moved: CreditsHeld | CreditsCaptured, moment: Moment) -> "HoldAnswer":
        return cls(**cls.shared(moved, moved.entry, moment), hold=HoldView.of(moved.hold))


class CreditTransferAnswer(Outcome):
    """What left one account, and what reached the other."""

    left: MovedAnswer
    reached: MovedAnswer

    @classmethod
    def between(cls, moved: MovedCredits, moment: Moment) -> "CreditTransferAnswer":
        return cls(
            left=MovedAnswer.of(moved.left, moment), reached=MovedAnswer.of(moved.reached, moment)
        )


class ClawBackAnswer(Outcome):
    """What was taken back: `takenMicro` was still there, `debtMicro` was spent and is owed now.

    What is missing from `askedMicro` has expired unused: it is gone, and nobody owes it.
    """

    lot_id: CreditLotRef
    source_key: str
    asked_micro: int
    taken_micro: int
    debt_micro: int
    entries: tuple[CreditEntryView, ...]

    @classmethod
    def of(cls, taken: TakenBack) -> "ClawBackAnswer":
        done = taken.claw_back
        return cls(
            lot_id=done.lot_id,
            source_key=done.source_key,
            asked_micro=done.asked_micro,
            taken_micro=done.taken_micro,
            debt_micro=done.debt_micro,
            entries=tuple(
                CreditEntryView.of(entry) for fact in taken.facts for entry in fact.entries
            ),
        )


class ReversalAnswer(MovedAnswer):
    """What was given back: `returnedMicro` credits, and `cancelledMicro` are owed no more."""

    lot_id: CreditLotRef
    source_key: str
    returned_micro: int
    cancelled_micro: int

    @classmethod
    def reversing(cls, given: CreditsGivenBack, moment: Moment) -> "ReversalAnswer":
        return cls(
            **cls.shared(given, given.entry, moment),
            lot_id=given.lot_id,
            source_key=given.reversal.source_key,
            returned_micro=given.reversal.returned_micro,
            cancelled_micro=given.reversal.cancelled_micro,
        )
