"""Payouts by Stripe: out of the balance of the tenant's own connected account.

The payout's id is the idempotency key and stands in its metadata, with the tenant by whose name its
webhooks are taken in: the key makes it once while Stripe remembers it, the metadata find it for
ever after. What Stripe has not paid yet is `Unknown` until it says more.
"""

from typing import Any, Final

import stripe
from stripe import StripeClient

from common.domain.processor_units import to_processor
from common.ports.answers import Answer, Failed, Succeeded, Unknown, Unreachable
from common.ports.payouts import PendingPayout
from common.stripe.reading import found_or_none, metadata_of, read, unreachable_or_raise

PAGE: Final = 100


class StripePayouts:
    """See the module."""

    def __init__(self, client: StripeClient) -> None:
        self._client = client

    def pay_out(self, wanted: PendingPayout) -> Answer:
        """Pay an account. Raises ValueError where the key was used for something else."""
        metadata = {"payoutId": str(wanted.id), "tenantId": str(wanted.tenant_id)}
        try:
            made = self._client.v1.payouts.create(
                {
                    "amount": to_processor(wanted.amount),
                    "currency": str(wanted.amount.currency).lower(),
                    "metadata": metadata,
                },
                {
                    "idempotency_key": str(wanted.id),
                    "stripe_account": wanted.processor_account_id,
                },
            )
        except stripe.IdempotencyError as reused:
            if reused.http_status == 409:
                return Unknown()  # the same one is still being made
            raise ValueError(f"{wanted.id} was used for another payout") from reused
        except stripe.InvalidRequestError as refused:
            return Failed(refused.code or "invalid_request")
        except stripe.PermissionError:  # the account is ours no more
            return Failed("account_invalid")
        except (stripe.APIConnectionError, stripe.RateLimitError):
            return Unreachable()
        except stripe.APIError as fault:
            return unreachable_or_raise(fault)
        return _answer(made)

    def ask_payout(self, wanted: PendingPayout) -> Answer | None:
        """What became of a payout; None where Stripe knows of none, and Unknown where the account
        lets us ask no more: it may have been paid before."""
        try:
            found = read(lambda: self._made(wanted))
        except stripe.PermissionError:
            return Unknown()
        if found is None or isinstance(found, Unreachable):
            return found
        return _answer(found)

    def _made(self, wanted: PendingPayout) -> Any | None:
        account = wanted.processor_account_id
        listed: Any = found_or_none(
            lambda: self._client.v1.payouts.list({"limit": PAGE}, {"stripe_account": account})
        )
        if listed is None:
            return None
        ours = (
            each
            for each in listed.auto_paging_iter()
            if metadata_of(each).get("payoutId") == wanted.id
        )
        return next(ours, None)


def _answer(payout: Any) -> Answer:
    """What a payout's status says; one that is under way says nothing yet."""
    match payout.status:
        case "paid":
            return Succeeded()
        case "failed" | "canceled":
            return Failed(getattr(payout, "failure_code", None) or payout.status)
        case _:
            return Unknown()
