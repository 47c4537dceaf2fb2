"""A card payment that came when its folio was closed: it goes back by itself (BEY-4).

A guest confirms late, or somebody captures at the terminal what was paid already; the money is in
the house, and nothing refuses it. A closed folio owes nothing and takes no line: so all of it goes
back, the way that it came, unless it was wanted as a deposit. In one commit it is booked in, out of
what the processor holds and onto `payments_to_return`, and the promise to give it back is booked
out again: from then on the processor is asked for it as for every refund of a card, under
`refund_id`, until it has said what became of that (REF-1). No line of the folio is changed.

Where the processor will not make it (the card is gone), the promise is taken back, and the money
lies on `payments_to_return` until a person opens the folio again. Then it stands there, as the
payment whose id this one has had, and is given back another way. In a currency that the folio
pinned no rate of, it is worth nothing that can be said there: it stays where it lies, and keeps
nobody from the folio.

Until then it may go back otherwise (WH-5). What somebody gives back at the processor is what we had
promised: our refund is called off, for the processor makes none beside it, and what is left is
promised anew under another id. While a bank asks for the money, the processor makes no refund: the
promise is called off until that is decided. Lost, it has gone back by the bank; won, what is left
is promised anew. A refund that was called off and had been made all the same is kept as what it
was: at the processor there is one refund in total, and so there is here. What the processor says to
have given back and later has again is with the house again, and waits as what could not go back.
"""

from dataclasses import field
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final

from common.domain.aggregate import Aggregate, Fact
from common.domain.dataclass import dataclass
from common.domain.folio import Folio, FolioStatus
from common.domain.fx import FxRateMissing
from common.domain.identifiers import FolioId, PaymentId, PropertyId, RefundId
from common.domain.ledger import CARD_CLEARING, DISPUTED_FUNDS, PAYMENTS_TO_RETURN, Entry, movement
from common.domain.moment import Moment
from common.domain.money import AmountNotPositive, Money
from common.domain.refund import BANK_ASKS, RefundExceedsPayment
from common.domain.webhook import WebhookContradictsBooks

_BESIDE, _TAKEN_BACK = 4, 5
"""The parts of the entries beside a folio, behind those of its payments and refunds (0 to 3): that
it came and was promised, and that it went onto the folio and was not made."""

REFUSED_MAX: Final = 3
"""So many refunds may be refused for claims that are over: then it goes back another way."""


class ReturnStatus(StrEnum):
    """Where it stands: promised, made, not made by the processor, or on its folio after that; or
    contested, while a bank asks for it."""

    PENDING = "pending"
    RETURNED = "returned"
    FAILED = "failed"
    PLACED = "placed"
    CONTESTED = "contested"


class PartKind(StrEnum):
    """How a part went back otherwise than by our refund: at the processor's dashboard, to a bank,
    or by a refund of ours that had been called off. One that failed afterwards came again."""

    REFUNDED_THERE = "refunded_there"
    REFUND_FAILED = "refund_failed"
    LOST = "lost"
    MADE_AFTER_ALL = "made_after_all"


_OUT_OF: Final = dict.fromkeys(PartKind, CARD_CLEARING) | {PartKind.LOST: DISPUTED_FUNDS}
"""Where a part went from: what a bank has won was withheld before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedPart:
    """What went back otherwise. `cause` is the processor's id of it, or that of our refund."""

    id: RefundId
    returned_id: PaymentId
    kind: PartKind
    cause: str
    amount: Money
    business_date: date
    made_at: datetime


@dataclass(frozen=True, kw_only=True)
class ReturnFact(Fact):
    """Something that happened to a payment that goes back, with the entries that it makes."""

    subject: "ReturnedPayment" = field(repr=False, compare=False)
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReturnPromised(ReturnFact):
    """A payment came for a closed folio: the processor is asked to give it back."""

    name = "returned_payment.promised"


@dataclass(frozen=True, kw_only=True)
class ReturnSettled(ReturnFact):
    """The processor has said what became of it; `reason` says why it was not made."""

    name = "returned_payment.settled"


@dataclass(frozen=True, kw_only=True)
class ReturnContested(ReturnFact):
    """A bank asks for its money: no refund is made of it until that is decided."""

    name = "returned_payment.contested"


@dataclass(frozen=True, kw_only=True)
class ReturnWentOtherwise(ReturnFact):
    """A part of it, or all, has gone back otherwise; what is left is promised anew."""

    name = "returned_payment.went_otherwise"
    part: ReturnedPart


@dataclass(frozen=True, kw_only=True)
class ReturnPlaced(ReturnFact):
    """It could not go back, and stands on its folio, which is open again."""

    name = "returned_payment.placed"


@dataclass(kw_only=True)
class ReturnedPayment(Aggregate):
    """See the module. `paid` is what came, in its own currency, and what goes back: all of it.

    Its id is that of the payment that it becomes where it cannot go back. `gone_micro` is what of
    it went back otherwise than by the refund `refund_id`. Before that one others were promised:
    `called_off`, which may have been made all the same, and `refused`, of which the processor has
    said that they were not, and says nothing else that counts.
    """

    kind: ClassVar[str] = "returned_payment"
    id: PaymentId
    property_id: PropertyId
    folio_id: FolioId
    processor_payment_id: str
    paid: Money
    refund_id: RefundId
    business_date: date
    promised_at: datetime
    status: ReturnStatus = ReturnStatus.PENDING
    failure_code: str | None = None
    settled_at: datetime | None = None
    gone_micro: int = 0
    called_off: tuple[RefundId, ...] = ()
    refused: tuple[RefundId, ...] = ()

    @classmethod
    def promise(
        cls, folio: Folio, paid: Money, processor_payment_id: str, moment: Moment
    ) -> ReturnPromised:
        """Take a payment in beside its closed folio, and promise all of it back.

        Refuses: AmountNotPositive. Raises ValueError where the folio is open, and could take it.
        """
        if folio.status is not FolioStatus.CLOSED:
            raise ValueError(f"{folio.id} is open, and takes the payment itself")
        if paid.amount_micro <= 0:
            raise AmountNotPositive()
        late = cls(
            id=moment.new_id(PaymentId),
            property_id=folio.property_id,
            folio_id=folio.id,
            processor_payment_id=processor_payment_id,
            paid=paid,
            refund_id=moment.new_id(RefundId),
            business_date=_today(folio.property_id, moment),
            promised_at=moment.now,
        )
        came = (late.id, _BESIDE, CARD_CLEARING, PAYMENTS_TO_RETURN, paid, late.business_date)
        entries = (Entry(*came), late._promised(late.business_date))
        return ReturnPromised(subject=late, sequence=late.next_sequence(), entries=entries)

    @property
    def is_pending(self) -> bool:
        """Whether the processor has not said yet what became of it."""
        return self.status is ReturnStatus.PENDING

    @property
    def is_unreturned(self) -> bool:
        """Whether it could not go back, and waits for its folio to be opened again."""
        return self.status is ReturnStatus.FAILED

    @property
    def is_contested(self) -> bool:
        """Whether a bank asks for it, and nothing is decided."""
        return self.status is ReturnStatus.CONTESTED

    @property
    def rest(self) -> Money:
        """What of it did not go back otherwise: what our refund gives back, or has."""
        return self.paid - Money(self.gone_micro, self.paid.currency)

    @property
    def left(self) -> Money:
        """What of it has not gone back at all, and may go beside its folio: of what stands on that
        by now nothing, it goes back as a payment of the folio does."""
        is_nothing = self.status in (ReturnStatus.RETURNED, ReturnStatus.PLACED)
        return Money.zero(self.paid.currency) if is_nothing else self.rest

    @property
    def was_made(self) -> bool:
        """Whether its refund of now was made."""
        return self.status is ReturnStatus.RETURNED and not self.rest.is_zero

    def is_news_of_now(self, refund_id: RefundId) -> bool:
        """Whether a word about this refund is about the one that is promised, or was made, now."""
        return refund_id == self.refund_id and (self.is_pending or self.was_made)

    def is_payment_of(self, folio: Folio) -> bool:
        """Whether the folio can take it: it has a rate for it, by which it is worth something."""
        try:
            return not folio.convert(self.rest).is_zero
        except FxRateMissing:
            return False

    def settle(
        self,
        failure_code: str | None,
        moment: Moment,
        *,
        is_claimed: bool = False,
        is_decided: bool = False,
    ) -> ReturnFact | None:
        """Keep what became of its refund of now; None for what is no news.

        Refused because a bank asks for the money, it waits until that is decided; where it is so
        already (`is_decided`), it is given up in the end. A refund that was made may fail
        afterwards, and none that failed is made: what is said late of that is no news. `is_claimed`
        where a bank asks for it meanwhile.
        """
        if not self.is_pending and not (self.was_made and failure_code is not None):
            return None
        entries: tuple[Entry, ...] = ()
        if failure_code is not None:
            entries = (self._taken_back(moment),)
            self.refused = (*self.refused, self.refund_id)
        is_over = is_decided and len(self.refused) >= REFUSED_MAX
        waits = failure_code == BANK_ASKS and not is_over
        if waits or (failure_code is not None and is_claimed):
            return self._contested(entries)
        self.settled_at = max(moment.now, self.promised_at)
        self.failure_code = failure_code
        self.status = ReturnStatus.RETURNED if failure_code is None else ReturnStatus.FAILED
        return ReturnSettled(
            subject=self, sequence=self.next_sequence(), entries=entries, reason=failure_code
        )

    def contest(self, moment: Moment) -> ReturnContested | None:
        """A bank asks for it; None where it has gone back, or one does already."""
        if self.is_pending:
            return self._contested((self._taken_back(moment),))
        return self._contested(()) if self.is_unreturned else None

    def promise_again(self, moment: Moment) -> ReturnPromised | None:
        """No bank asks for it any more: promise what is left, as a refund of its own; None where
        none did. Under the id that was refused the processor would refuse it for ever."""
        if not self.is_contested:
            return None
        promised = self._promise_anew(moment)
        return ReturnPromised(subject=self, sequence=self.next_sequence(), entries=(promised,))

    def go_otherwise(
        self, amount: Money, kind: PartKind, cause: str, moment: Moment, *, is_claimed: bool
    ) -> ReturnWentOtherwise:
        """So much has gone back otherwise: what was promised is called off, and what is left is
        promised anew, unless a bank asks for it still (`is_claimed`).

        Refuses: AmountNotPositive, WebhookContradictsBooks, RefundExceedsPayment.
        """
        if amount.amount_micro <= 0:
            raise AmountNotPositive()
        if amount.currency != self.paid.currency:
            raise WebhookContradictsBooks("It is in another currency than its payment.")
        if amount > self.left:
            raise RefundExceedsPayment(
                leftMicro=self.left.amount_micro, currency=self.paid.currency
            )
        entries = [self._taken_back(moment)] if self.is_pending else []
        part = self._part(kind, cause, amount, moment)
        entries.append(self._moved(part))
        self.gone_micro += amount.amount_micro
        self.settled_at = self.failure_code = None
        if self.rest.is_zero:
            self.status = ReturnStatus.RETURNED
            self.settled_at = max(moment.now, self.promised_at)
        elif is_claimed:
            self.status = ReturnStatus.CONTESTED
        else:
            entries.append(self._promise_anew(moment))
        return ReturnWentOtherwise(
            subject=self, sequence=self.next_sequence(), entries=tuple(entries), part=part
        )

    def come_again(
        self, gone: ReturnedPart, failure_code: str, moment: Moment, *, is_claimed: bool
    ) -> ReturnWentOtherwise:
        """What was given back at the processor has failed afterwards: the house has it again.

        Refuses: WebhookContradictsBooks, while our own refund of the rest is under way, which may
        be made at this moment, and where it is on its folio: the event is run again then.
        """
        if self.status in (ReturnStatus.PENDING, ReturnStatus.PLACED):
            raise WebhookContradictsBooks("What is left of its payment goes back at the moment.")
        if self.was_made:
            raise WebhookContradictsBooks("What was left of its payment has gone back by itself.")
        part = self._part(PartKind.REFUND_FAILED, gone.cause, -gone.amount, moment)
        self.gone_micro -= gone.amount.amount_micro
        self.status = ReturnStatus.CONTESTED if is_claimed else ReturnStatus.FAILED
        self.settled_at = None if is_claimed else max(moment.now, self.promised_at)
        self.failure_code = None if is_claimed else failure_code
        return ReturnWentOtherwise(
            subject=self,
            sequence=self.next_sequence(),
            entries=(self._moved(part),),
            part=part,
            reason=failure_code,
        )

    def place(self, moment: Moment) -> ReturnPlaced:
        """Leave `payments_to_return` for the folio, which takes it as any payment.

        Raises ValueError for one that has gone back, or still may.
        """
        if not self.is_unreturned:
            raise ValueError(f"{self.id} is {self.status}: it is no payment of its folio")
        self.status = ReturnStatus.PLACED
        on = _today(self.property_id, moment)
        out = Entry(self.id, _TAKEN_BACK, PAYMENTS_TO_RETURN, CARD_CLEARING, self.rest, on)
        return ReturnPlaced(subject=self, sequence=self.next_sequence(), entries=(out,))

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        otherwise = {"goneMicro": self.gone_micro} if self.gone_micro else {}
        return otherwise | {
            "amountMicro": self.paid.amount_micro,
            "currency": str(self.paid.currency),
            "failureCode": self.failure_code,
            "folioId": self.folio_id,
            "id": self.id,
            "processorPaymentId": self.processor_payment_id,
            "refundId": self.refund_id,
            "status": self.status.value,
        }

    def _contested(self, entries: tuple[Entry, ...]) -> ReturnContested:
        self.status = ReturnStatus.CONTESTED
        self.settled_at = self.failure_code = None
        return ReturnContested(subject=self, sequence=self.next_sequence(), entries=entries)

    def _promise_anew(self, moment: Moment) -> Entry:
        if self.refund_id not in self.refused:
            self.called_off = (*self.called_off, self.refund_id)
        self.refund_id = moment.new_id(RefundId)
        self.status = ReturnStatus.PENDING
        return self._promised(_today(self.property_id, moment))

    def _promised(self, on: date) -> Entry:
        return Entry(self.refund_id, _BESIDE, PAYMENTS_TO_RETURN, CARD_CLEARING, self.rest, on)

    def _taken_back(self, moment: Moment) -> Entry:
        on = _today(self.property_id, moment)
        return Entry(self.refund_id, _TAKEN_BACK, CARD_CLEARING, PAYMENTS_TO_RETURN, self.rest, on)

    def _part(self, kind: PartKind, cause: str, amount: Money, moment: Moment) -> ReturnedPart:
        return ReturnedPart(
            id=moment.new_id(RefundId),
            returned_id=self.id,
            kind=kind,
            cause=cause,
            amount=amount,
            business_date=_today(self.property_id, moment),
            made_at=moment.now,
        )

    def _moved(self, part: ReturnedPart) -> Entry:
        into, out_of = PAYMENTS_TO_RETURN, _OUT_OF[part.kind]
        return movement(part.id, _BESIDE, into, out_of, part.amount, part.business_date)


def _today(property_id: PropertyId, moment: Moment) -> date:
    return moment.settings.property(property_id).business_date(moment.now)
