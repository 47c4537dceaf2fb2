"""What a question to Stripe that changes nothing is answered."""

from collections.abc import Callable
from typing import Any, TypeVar

import stripe

from common.ports.answers import Unreachable

T = TypeVar("T")


def read(call: Callable[[], T]) -> T | Unreachable:
    """The answer; silence, a fault of Stripe's and being told to slow down are none."""
    try:
        return call()
    except (stripe.APIConnectionError, stripe.RateLimitError):
        return Unreachable()
    except stripe.APIError as fault:
        return unreachable_or_raise(fault)


def unreachable_or_raise(fault: stripe.APIError) -> Unreachable:
    """A fault of Stripe's is no answer; what else it did not take is a mistake of ours."""
    if fault.http_status is None or fault.http_status >= 500:
        return Unreachable()
    raise fault


def found_or_none(call: Callable[[], Any]) -> Any | None:
    """One thing that is asked for by its id; None where Stripe knows of none."""
    try:
        return call()
    except stripe.InvalidRequestError:
        return None


def metadata_of(thing: Any) -> dict[str, str]:
    """What we have written onto a thing."""
    found: Any = getattr(thing, "metadata", None)
    return found.to_dict() if hasattr(found, "to_dict") else dict(found or {})
