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
"""

from dataclasses import field
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from common.domain.aggregate import Aggregate, Fact
from common.domain.dataclass import dataclass
from common.domain.folio import Folio, FolioStatus
from common.domain.fx import FxRateMissing
from common.domain.identifiers import FolioId, PaymentId, PropertyId, RefundId
from common.domain.ledger import CARD_CLEARING, PAYMENTS_TO_RETURN, Entry
from common.domain.moment import Moment
from common.domain.money import AmountNotPositive, Money

_BESIDE, _TAKEN_BACK = 4, 5
"""The parts of the entries beside a folio, behind those of its payments and refunds (0 to 3): that
it came and was promised, and that it went onto the folio and was not made."""


class ReturnStatus(StrEnum):
    """Where it stands: promised, made, not made by the processor, or on its folio after that."""

    PENDING = "pending"
    RETURNED = "returned"
    FAILED = "failed"
    PLACED = "placed"


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
class ReturnPlaced(ReturnFact):
    """It could not go back, and stands on its folio, which is open again."""

    name = "returned_payment.placed"


@dataclass(kw_only=True)
class ReturnedPayment(Aggregate):
    """See the module. `paid` is what came, in its own currency, and what goes back: all of it.

    Its id is that of the payment that it becomes where it cannot go back.
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
        entries = (
            late._entry(late.id, _BESIDE, CARD_CLEARING, PAYMENTS_TO_RETURN, late.business_date),
            late._entry(
                late.refund_id, _BESIDE, PAYMENTS_TO_RETURN, CARD_CLEARING, late.business_date
            ),
        )
        return ReturnPromised(subject=late, sequence=late.next_sequence(), entries=entries)

    @property
    def is_pending(self) -> bool:
        """Whether the processor has not said yet what became of it."""
        return self.status is ReturnStatus.PENDING

    @property
    def is_unreturned(self) -> bool:
        """Whether it could not go back, and waits for its folio to be opened again."""
        return self.status is ReturnStatus.FAILED

    def is_payment_of(self, folio: Folio) -> bool:
        """Whether the folio can take it: it has a rate for it, by which it is worth something."""
        try:
            return not folio.convert(self.paid).is_zero
        except FxRateMissing:
            return False

    def settle(self, failure_code: str | None, moment: Moment) -> ReturnSettled | None:
        """Keep what became of it; None for one that is settled already. The first word counts."""
        if not self.is_pending:
            return None
        self.settled_at = max(moment.now, self.promised_at)
        self.failure_code = failure_code
        self.status = ReturnStatus.RETURNED if failure_code is None else ReturnStatus.FAILED
        entries: tuple[Entry, ...] = ()
        if failure_code is not None:
            on = _today(self.property_id, moment)
            back = (self.refund_id, _TAKEN_BACK, CARD_CLEARING, PAYMENTS_TO_RETURN, on)
            entries = (self._entry(*back),)
        return ReturnSettled(
            subject=self, sequence=self.next_sequence(), entries=entries, reason=failure_code
        )

    def place(self, moment: Moment) -> ReturnPlaced:
        """Leave `payments_to_return` for the folio, which takes it as any payment.

        Raises ValueError for one that has gone back, or still may.
        """
        if not self.is_unreturned:
            raise ValueError(f"{self.id} is {self.status}: it is no payment of its folio")
        self.status = ReturnStatus.PLACED
        on = _today(self.property_id, moment)
        out = self._entry(self.id, _TAKEN_BACK, PAYMENTS_TO_RETURN, CARD_CLEARING, on)
        return ReturnPlaced(subject=self, sequence=self.next_sequence(), entries=(out,))

    def state(self) -> dict[str, object]:
        """What the audit trail digests."""
        return {
            "amountMicro": self.paid.amount_micro,
            "currency": str(self.paid.currency),
            "failureCode": self.failure_code,
            "folioId": self.folio_id,
            "id": self.id,
            "processorPaymentId": self.processor_payment_id,
            "refundId": self.refund_id,
            "status": self.status.value,
        }

    def _entry(self, source: str, part: int, debit: str, credit: str, on: date) -> Entry:
        return Entry(source, part, debit, credit, self.paid, on)


def _today(property_id: PropertyId, moment: Moment) -> date:
    return moment.settings.property(property_id).business_date(moment.now)
