"""What a company account must come to, said once more in the plainest way.

Dictionaries and whole cents; not a line of the code under test. An account is its limit, what each
settlement is worth that is on no invoice, what is open of each invoice, and its credit.
"""

from typing import Any

Model = dict[str, Any]


def opened(limit: int) -> Model:
    """An account that owes nothing."""
    return {"limit": limit, "new": {}, "items": {}, "credit": 0, "given": {}}


def balance(model: Model) -> int:
    return int(sum(model["new"].values()) + sum(model["items"].values()) - model["credit"])


def charge(model: Model, payment: str, cents: int) -> str | None:
    """The code of the refusal, or None."""
    if balance(model) + cents > model["limit"]:
        return "CREDIT_LIMIT_EXCEEDED"
    model["new"][payment] = cents
    return None


def give_back(model: Model, payment: str, cents: int) -> None:
    """Of one that is invoiced it is a credit."""
    if payment in model["new"]:
        model["new"][payment] -= cents
    else:
        model["credit"] += cents


def invoice(model: Model, name: str, payments: list[str]) -> int:
    """Settlements become an item; what it is worth."""
    worth = sum(model["new"].pop(payment) for payment in payments)
    if worth:
        model["items"][name] = worth
    return int(worth)


def allocate(
    model: Model, wanted: list[tuple[str, int]] | None, credit: int, dues: list[str]
) -> str | None:
    """Give of a credit as wanted, or to what is due first."""
    if wanted is None:
        wanted, left = [], credit
        for name in dues:
            part = min(model["items"][name], left)
            if part:
                wanted.append((name, part))
                left -= part
    items = dict(model["items"])
    for name, cents in wanted:
        if cents <= 0:
            return "AMOUNT_NOT_POSITIVE"
        if name not in items:
            return "RECEIVABLE_UNKNOWN"
        if cents > items[name]:
            return "RECEIVABLE_EXCEEDED"
        items[name] -= cents
    spent = sum(cents for _, cents in wanted)
    if spent > credit:
        return "COMPANY_CREDIT_EXCEEDED"
    model["items"] = items
    model["credit"] -= spent
    return None


def take_back(model: Model, allocation: str, name: str, cents: int) -> str | None:
    if allocation in model["given"]:
        return "ALLOCATION_ALREADY_REVERSED"
    model["given"][allocation] = True
    model["items"][name] += cents
    model["credit"] += cents
    return None


def give_up(model: Model, name: str, cents: int) -> str | None:
    if cents <= 0:
        return "AMOUNT_NOT_POSITIVE"
    if cents > model["items"][name]:
        return "RECEIVABLE_EXCEEDED"
    model["items"][name] -= cents
    return None
