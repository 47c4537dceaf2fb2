"""The model's credits that pay what is open already: the oldest bill first, each as far as it goes.

A bill keeps what is `due` of it, and how much of that credits have paid (`off`); money pays what is
left. Where money comes for more than was left, so much of `off` is the group's credit again.
"""

from typing import Any

Invoice = dict[str, Any]
Shares = list[tuple[Invoice, int]]


def left(invoice: Invoice) -> int:
    """What money is to pay of a bill, or has paid."""
    return int(invoice["due"] - invoice["off"])


def is_open(invoice: Invoice) -> bool:
    return left(invoice) > 0 and not invoice["paid"] and not invoice["lost"]


def shares(credit: int, invoices: list[Invoice]) -> Shares:
    """How much a credit pays of each of these bills, one after the other."""
    found: Shares = []
    for each in invoices:
        paid = min(credit, left(each))
        if paid > 0:
            found.append((each, paid))
            credit -= paid
    return found


def take_off(sub: dict[str, Any], found: Shares) -> None:
    for invoice, cents in found:
        invoice["off"] += cents
        sub["credit"] -= cents


def pay(sub: dict[str, Any], invoice: Invoice, cents: int, others: list[Invoice]) -> bool:
    """Money pays a bill; whether a part of it was a credit's, which pays the others now."""
    beyond = cents - left(invoice)
    invoice["paid"] = True
    if beyond <= 0:
        return False
    invoice["off"] -= beyond
    sub["credit"] += beyond
    take_off(sub, shares(sub["credit"], others))
    return True
