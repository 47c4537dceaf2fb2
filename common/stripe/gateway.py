"""Stripe as the processor, through its own library.

A refund's id is the idempotency key and stands in its metadata: the key makes it once while Stripe
remembers it, the metadata find it for ever after. A call has a time-out; what is safe to send again
the library sends again itself, under the same key and with growing, jittered pauses (GW-4). What
Stripe refuses for good is `Failed` with its code; silence, a fault of Stripe's and being told to
slow down are `Unreachable`: the refund may have been made, and is asked after later (GW-5). A key
of ours that Stripe does not accept is nobody's answer, and is raised.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any, Final

import stripe
from stripe import StripeClient

from common.domain.identifiers import RefundId
from common.domain.money import Money
from common.domain.processor_reconciliation import Known, Movement
from common.domain.processor_units import from_processor, to_processor
from common.domain.reconciliation import CardRecord, CardRecords
from common.ports.answers import Answer, Failed, Succeeded, Unknown, Unreachable
from common.ports.gateway import Wanted
from common.ports.movements import MovementPage, MovementsWanted
from common.ports.payouts import PendingPayout
from common.stripe.movements import StripeMovements
from common.stripe.payouts import StripePayouts
from common.stripe.reading import found_or_none, metadata_of, read, unreachable_or_raise

TIMEOUT_SECONDS: Final = (3, 10)
"""To connect, and to be answered. Three tries of both end before a breaker's probe does."""
RETRIES_MAX: Final = 2
PAGE: Final = 100
AROUND: Final = timedelta(days=1)
"""How far from its business date a refund of ours may have been made."""


class StripeGateway:
    """See the module. `address` is where Stripe is, if it is not where it always is."""

    def __init__(self, api_key: str, *, address: str = "", retries_max: int = RETRIES_MAX) -> None:
        self._client = client(api_key, address, retries_max)
        self._movements = StripeMovements(self._client)
        self._payouts = StripePayouts(self._client)

    def refund(self, refund_id: RefundId, processor_payment_id: str, amount: Money) -> Answer:
        """Give an amount back. Raises ValueError where the key was used for something else."""
        try:
            made = self._client.v1.refunds.create(
                {
                    "payment_intent": processor_payment_id,
                    "amount": to_processor(amount),
                    "metadata": {"refundId": str(refund_id)},
                },
                {"idempotency_key": str(refund_id)},
            )
        except stripe.IdempotencyError as reused:
            if reused.http_status == 409:
                return Unknown()  # the same one is still being made
            raise ValueError(f"{refund_id} was used for another refund") from reused
        except (stripe.CardError, stripe.InvalidRequestError) as refused:
            return Failed(refused.code or "invalid_request")
        except (stripe.APIConnectionError, stripe.RateLimitError):
            return Unreachable()
        except stripe.APIError as fault:
            return unreachable_or_raise(fault)
        return _answer(made)

    def ask(self, refund_id: RefundId, processor_payment_id: str) -> Answer:
        """What became of a refund of a payment; Unknown where Stripe knows of none."""
        found = read(lambda: self._made(refund_id, processor_payment_id))
        if isinstance(found, Unreachable):
            return found
        return Unknown() if found is None else _answer(found)

    def payment_of(self, processor_invoice_id: str) -> str | Unknown | None:
        """By which payment intent an invoice of Stripe's was paid, where that was one alone. Since
        version 2025-03-31 of its API an invoice does not say so itself."""
        return read(lambda: self._payment_of(processor_invoice_id))

    def records(self, wanted: Wanted) -> CardRecords | Unknown:
        """What was captured and given back in a span of time, and what has one of the ids."""
        return read(lambda: self._records(wanted))

    def movements(self, wanted: MovementsWanted) -> MovementPage | Unknown:
        """A page of what took place in a span of time."""
        return self._movements.movements(wanted)

    def movement(self, known: Known, payment: str) -> Movement | Unknown | None:
        """One movement of a payment; None where none such took place."""
        return self._movements.movement(known, payment)

    def pay_out(self, wanted: PendingPayout) -> Answer:
        """Pay a connected account. Raises ValueError where the key was used for another payout."""
        return self._payouts.pay_out(wanted)

    def ask_payout(self, wanted: PendingPayout) -> Answer | None:
        """What became of a payout; None where Stripe knows of none."""
        return self._payouts.ask_payout(wanted)

    def _made(self, refund_id: RefundId, processor_payment_id: str) -> Any | None:
        try:
            listed = self._client.v1.refunds.list(
                {"payment_intent": processor_payment_id, "limit": PAGE}
            )
            return next((r for r in listed.auto_paging_iter() if _ours(r) == refund_id), None)
        except stripe.InvalidRequestError:  # there is no such payment, and so no refund of it
            return None

    def _payment_of(self, processor_invoice_id: str) -> str | None:
        try:
            listed = self._client.v1.invoice_payments.list(
                {"invoice": processor_invoice_id, "status": "paid", "limit": 2}
            )
        except stripe.InvalidRequestError:  # there is no such invoice
            return None
        paid = [getattr(each.payment, "payment_intent", None) for each in listed.data]
        return str(paid[0]) if len(paid) == 1 and paid[0] else None

    def _records(self, wanted: Wanted) -> CardRecords:
        payments = {each.id: each for each in self._payments(wanted)}
        span = {
            "gte": int((wanted.since - AROUND).timestamp()),
            "lt": int((wanted.until + AROUND).timestamp()),
        }
        asked: Any = {"created": span, "limit": PAGE}
        listed = self._client.v1.refunds.list(asked)
        refunds = [
            each
            for each in listed.auto_paging_iter()
            if each.status == "succeeded" and _is_wanted(each, wanted, payments)
        ]
        refunds += self._refunds_there(set(wanted.refund_ids) - {each.id for each in refunds})
        return CardRecords(
            payments=_sorted(
                CardRecord(id, from_processor(each.amount_received, each.currency))
                for id, each in payments.items()
            ),
            refunds=_sorted(
                CardRecord(_ours(each) or each.id, from_processor(each.amount, each.currency))
                for each in refunds
            ),
        )

    def _refunds_there(self, refund_ids: set[str]) -> Iterator[Any]:
        """Refunds that were not ours, by Stripe's ids, whenever they were made."""
        for id in sorted(each for each in refund_ids if not each.startswith(RefundId.prefix)):
            found = found_or_none(partial(self._client.v1.refunds.retrieve, id))
            if found is not None and found.status == "succeeded":
                yield found

    def _payments(self, wanted: Wanted) -> Iterator[Any]:
        """The property's payments of the span, and those that have an id, whenever they were."""
        span = {"gte": int(wanted.since.timestamp()), "lt": int(wanted.until.timestamp())}
        asked: Any = {"created": span, "limit": PAGE}
        place = (str(wanted.tenant_id), str(wanted.property_id))
        listed = self._client.v1.payment_intents.list(asked)
        there = [
            each
            for each in listed.auto_paging_iter()
            if _place(each) == place or each.id in wanted.payment_ids
        ]
        missing = set(wanted.payment_ids) - {each.id for each in there}
        for each in (*there, *filter(None, map(self._payment, sorted(missing)))):
            if each.status == "succeeded":
                yield each

    def _payment(self, processor_payment_id: str) -> Any | None:
        try:
            return self._client.v1.payment_intents.retrieve(processor_payment_id)
        except stripe.InvalidRequestError:  # there is no such payment
            return None


def client(api_key: str, address: str, retries_max: int) -> StripeClient:
    """Stripe's library, with our time-outs and so many tries."""
    return StripeClient(
        api_key,
        base_addresses={"api": address} if address else None,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        max_network_retries=retries_max,
    )


def _answer(refund: Any) -> Answer:
    """What a refund's status says; one that still runs says nothing yet."""
    match refund.status:
        case "succeeded":
            return Succeeded()
        case "failed" | "canceled":
            return Failed(getattr(refund, "failure_reason", None) or refund.status)
        case _:
            return Unknown()


def _ours(thing: Any) -> str | None:
    """Our own id of a refund, where it has one."""
    return metadata_of(thing).get("refundId")


def _place(thing: Any) -> tuple[str | None, str | None]:
    """The tenant and the property of a payment."""
    metadata = metadata_of(thing)
    return metadata.get("tenantId"), metadata.get("propertyId")


def _is_wanted(refund: Any, wanted: Wanted, payments: dict[str, Any]) -> bool:
    """Whether it is one of ours that was asked for, or was made of these payments in the span."""
    is_within = wanted.since.timestamp() <= refund.created < wanted.until.timestamp()
    return _ours(refund) in wanted.refund_ids or (is_within and refund.payment_intent in payments)


def _sorted(records: Iterable[CardRecord]) -> tuple[CardRecord, ...]:
    return tuple(sorted(records, key=lambda record: record.id))
