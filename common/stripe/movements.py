"""Stripe's side of a reconciliation: its lists, page by page, and single things by their ids.

A list is of all tenants: what its metadata say is another's is left out here, what they say nothing
of is told as nobody's. A refund or a payout of ours is known by our id in its metadata, any other
by Stripe's. Payouts are a connected account's own, and are asked for in its name; an account that
is connected no longer has none to tell of.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final
from uuid import UUID

import stripe
from stripe import StripeClient

from common.domain.identifiers import PayoutId, PropertyId, RefundId
from common.domain.processor_reconciliation import Known, Movement, MovementKind
from common.domain.processor_units import from_processor
from common.ports.answers import Unknown
from common.ports.movements import MovementPage, MovementsWanted
from common.stripe.reading import found_or_none, metadata_of, read

PAGE: Final = 100


class StripeMovements:
    """See the module."""

    def __init__(self, client: StripeClient) -> None:
        self._client = client

    def movements(self, wanted: MovementsWanted) -> MovementPage | Unknown:
        """A page of what took place in the span; Unreachable where Stripe does not answer."""
        return read(lambda: self._page(wanted))

    def movement(self, known: Known, payment: str) -> Movement | Unknown | None:
        """One movement of a payment; None where none such took place."""
        return read(lambda: self._one(known, payment))

    def _page(self, wanted: MovementsWanted) -> MovementPage:
        since, until = wanted.span.since.timestamp(), wanted.span.until.timestamp()
        asked: Any = {"created": {"gte": int(since), "lt": int(until)}, "limit": PAGE}
        if wanted.cursor is not None:
            asked["starting_after"] = wanted.cursor
        if wanted.kind is MovementKind.PAYOUT:
            return self._page_of_payouts(wanted, asked)
        v1 = self._client.v1
        lists = {
            MovementKind.PAYMENT: v1.payment_intents.list,
            MovementKind.REFUND: v1.refunds.list,
            MovementKind.DISPUTE: v1.disputes.list,
        }
        listed: Any = lists[wanted.kind](asked)
        return self._told(wanted, listed, (_movement(wanted.kind, each) for each in listed.data))

    def _page_of_payouts(self, wanted: MovementsWanted, asked: Any) -> MovementPage:
        account = wanted.account
        listed = _of_account(lambda: self._client.v1.payouts.list(asked, _named(account)))
        if listed is None:
            return MovementPage(())
        return self._told(wanted, listed, (_payout(each, account) for each in listed.data))

    def _told(
        self, wanted: MovementsWanted, listed: Any, found: Iterator[Movement | None]
    ) -> MovementPage:
        items = tuple(
            each
            for each in found
            if each is not None and each.tenant_id in (None, wanted.tenant_id)
        )
        return MovementPage(items, listed.data[-1].id if listed.has_more and listed.data else None)

    def _one(self, known: Known, payment: str) -> Movement | None:
        v1, kind = self._client.v1, known.kind
        match kind:
            case MovementKind.PAYOUT:
                return self._payout(known.id, payment)
            case MovementKind.PAYMENT:
                found = found_or_none(lambda: v1.payment_intents.retrieve(known.id))
            case MovementKind.DISPUTE:
                found = found_or_none(lambda: v1.disputes.retrieve(known.id))
            case MovementKind.REFUND if known.id.startswith(RefundId.prefix):
                found = self._refund_of_ours(known.id, payment)
            case _:
                found = found_or_none(lambda: v1.refunds.retrieve(known.id))
        return None if found is None else _movement(kind, found)

    def _payout(self, payout_id: str, account: str) -> Movement | None:
        v1, named = self._client.v1, _named(account)
        if not payout_id.startswith(PayoutId.prefix):
            found = _of_account(lambda: v1.payouts.retrieve(payout_id, None, named))
            return None if found is None else _payout(found, account)
        listed = _of_account(lambda: v1.payouts.list({"limit": PAGE}, named))
        made = () if listed is None else listed.auto_paging_iter()
        ours = (each for each in made if metadata_of(each).get("payoutId") == payout_id)
        found = next(ours, None)
        return None if found is None else _payout(found, account)

    def _refund_of_ours(self, refund_id: str, payment: str) -> Any | None:
        asked: Any = {"payment_intent": payment, "limit": PAGE}
        listed: Any = found_or_none(lambda: self._client.v1.refunds.list(asked))
        if listed is None:
            return None
        ours = (each for each in listed.auto_paging_iter() if _our_id(each) == refund_id)
        return next(ours, None)


def _movement(kind: MovementKind, thing: Any) -> Movement | None:
    """A thing as a movement; None for one that has not taken place."""
    if kind is not MovementKind.DISPUTE and thing.status != "succeeded":
        return None
    is_payment = kind is MovementKind.PAYMENT
    units = thing.amount_received if is_payment else thing.amount
    metadata = metadata_of(thing)
    house = _uuid(metadata.get("propertyId"))
    return Movement(
        known=Known(kind, (_our_id(thing) if kind is MovementKind.REFUND else None) or thing.id),
        amount=from_processor(units, thing.currency),
        payment=thing.id if is_payment else str(thing.payment_intent or ""),
        property_id=PropertyId(house) if house else None,
        tenant_id=_uuid(metadata.get("tenantId")),
    )


def _named(account: str) -> Any:
    """In the name of a connected account."""
    return {"stripe_account": account}


def _of_account(call: Callable[[], Any]) -> Any | None:
    """What a connected account has; None where it is none of ours, or has no such thing."""
    try:
        return found_or_none(call)
    except stripe.PermissionError:
        return None


def _payout(thing: Any, account: str) -> Movement | None:
    """A payout that has left an account as a movement; None for one that has not."""
    if thing.status != "paid":
        return None
    return Movement(
        known=Known(MovementKind.PAYOUT, metadata_of(thing).get("payoutId") or thing.id),
        amount=from_processor(thing.amount, thing.currency),
        payment=account,
    )


def _our_id(refund: Any) -> str | None:
    return metadata_of(refund).get("refundId")


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
