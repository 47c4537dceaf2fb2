"""What is kept of the parts of a processor's object that are lists of other objects.

Of a dispute, what the processor has charged for it in all: each movement of its money bears a fee,
and one that is given back bears a negative one. Of a charge, the newest of its refunds, which is
what the event is about, where the processor sends them along. Of an account, whether it may be
paid. An invoice of a subscription bears that one's metadata beside its own; newer versions of the
API have the subscription's id under its parent, and the payment among its payments. A subscription
says when it ends, or that it goes on.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

_REFUND_KEPT: Final = ("id", "status", "amount", "currency", "payment_intent", "failure_reason")
MOVEMENTS_MAX: Final = 20
ROWS_MAX: Final = 100
MISSING: Final = object()


def fee_kept(about: Mapping[str, Any]) -> dict[str, Any]:
    """The fee of a dispute with its currency; nothing where none is told in one currency."""
    moved = about.get("balance_transactions")
    if about.get("object") != "dispute" or not isinstance(moved, list) or not moved:
        return {}
    rows = [row for row in moved[:MOVEMENTS_MAX] if isinstance(row, dict)]
    fees = [row.get("fee") for row in rows]
    currencies = {row.get("currency") for row in rows}
    if len(rows) != len(moved) or len(currencies) != 1:
        return {}
    (currency,) = currencies
    if not isinstance(currency, str) or any(type(fee) is not int for fee in fees):
        return {}
    return {"fee": max(sum(fee for fee in fees if fee is not None), 0), "fee_currency": currency}


def account_kept(about: Mapping[str, Any]) -> dict[str, Any]:
    """Whether an account of the processor's is proven and may be paid: both, or it is not."""
    if about.get("object") != "account":
        return {}
    said = [about.get("payouts_enabled"), about.get("details_submitted")]
    return {"payouts_enabled": said == [True, True]}


def newest_refund_kept(
    about: Mapping[str, Any], is_plain: Callable[[Any], bool], ours: tuple[str, ...]
) -> dict[str, Any]:
    """The newest refund of a charge, where the charge brings its refunds along."""
    listed = about.get("refunds")
    rows = listed.get("data") if isinstance(listed, dict) else None
    if about.get("object") != "charge" or not isinstance(rows, list) or not rows:
        return {}
    newest = rows[0]
    if not isinstance(newest, dict):
        return {}
    kept = {name: newest[name] for name in _REFUND_KEPT if is_plain(newest.get(name))}
    metadata = newest.get("metadata")
    if isinstance(metadata, dict):
        kept["metadata"] = {name: metadata[name] for name in ours if is_plain(metadata.get(name))}
    return {"refund": kept}


def invoice_kept(about: Mapping[str, Any], is_plain: Callable[[Any], bool]) -> dict[str, Any]:
    """Of an invoice, which subscription it is of, from when on it is for that (`covers_from`, of
    several periods the last one's begin: a fee is asked for in advance) and, where one payment
    alone has paid it and is told along with it, which."""
    if about.get("object") != "invoice":
        return {}
    kept: dict[str, Any] = {}
    parent = about.get("parent")
    details = parent.get("subscription_details") if isinstance(parent, dict) else None
    if isinstance(details, dict) and is_plain(details.get("subscription")):
        kept["subscription"] = details["subscription"]
    rows = _listed(about, "payments")
    paid = [row.get("payment") for row in rows if row.get("status", "paid") == "paid"]
    payments = [each.get("payment_intent") for each in paid if isinstance(each, dict)]
    if len(payments) == len(paid) == 1 and is_plain(payments[0]):
        kept["payment_intent"] = payments[0]
    periods = [row.get("period") for row in _listed(about, "lines") if not _is_proration(row)]
    begins = [each.get("start") for each in periods if isinstance(each, dict)]
    if begins and all(type(each) is int for each in begins):
        kept["covers_from"] = max(begins)
    return kept


def end_kept(about: Mapping[str, Any]) -> dict[str, Any]:
    """Of a subscription, when it is said to end, or that it `goes_on`; nothing where it says
    neither. One that is to end with its period may say so alone: newer versions of the API have the
    period's end on its items."""
    if about.get("object") != "subscription":
        return {}
    at, at_end = about.get("cancel_at", MISSING), about.get("cancel_at_period_end")
    if at is None and at_end is False:
        return {"goes_on": True}
    if (at is not None and at is not MISSING) or at_end is not True:
        return {}
    rows = (about, *_listed(about, "items"))
    ends = [each["current_period_end"] for each in rows if "current_period_end" in each]
    is_told = ends and all(type(each) is int for each in ends)
    return {"cancel_at": max(ends)} if is_told else {}


def _listed(about: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The rows of a list that an object brings along."""
    listed = about.get(name)
    rows = listed.get("data") if isinstance(listed, dict) else None
    rows = rows[:ROWS_MAX] if isinstance(rows, list) else []
    return [row for row in rows if isinstance(row, dict)]


def _is_proration(line: Mapping[str, Any]) -> bool:
    """Whether a line of an invoice is of a change within a period; newer versions of the API say so
    under its parent."""
    parent = line.get("parent")
    details = [*parent.values()] if isinstance(parent, dict) else []
    return any(
        each.get("proration") is True for each in (line, *details) if isinstance(each, Mapping)
    )


def metadata_of(about: Mapping[str, Any]) -> object:
    """An object's own metadata; of an invoice beside those of its subscription, which newer
    versions of the API have under its parent."""
    own = about.get("metadata")
    if about.get("object") != "invoice":
        return own
    parent = about.get("parent")
    of_parent = parent.get("subscription_details") if isinstance(parent, dict) else None
    details = of_parent or about.get("subscription_details")
    theirs = details.get("metadata") if isinstance(details, dict) else None
    if not isinstance(theirs, dict):
        return own
    return {**theirs, **own} if isinstance(own, dict) else theirs
