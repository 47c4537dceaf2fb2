"""Granting credits, and taking them back, once for each thing, whoever learns of it first (CRD-3).

A webhook, its retry, the cycle of subscriptions and the reconciliation all come through here. What
has been done is no error to them: the second one is told so, and nothing changes. Of two at the
same moment, one is run again, and finds what the other has done.
"""

from collections.abc import Sequence

from common.domain.money import Money
from common.domain.prepaid_account import CreditAccount
from common.domain.prepaid_claw_back import (
    KEPT,
    GrantedCredits,
    GrantUnknown,
    TakenBack,
    claw_back,
    without,
)
from common.domain.prepaid_grant import CreditGrant, CreditsGranted, grant
from common.domain.prepaid_reversal import ClawBackReversed, ClawBackUnknown, give_back
from common.ports.transaction import Transaction
from common.procedures.moving import keep_moved


def grant_once(tx: Transaction, account: str, wanted: CreditGrant) -> CreditsGranted | None:
    """Grant credits to an account; None where they have been granted for the same already.

    The account opens with its first credits. Refuses: GrantExpired, CreditBalanceLimit,
    CreditsOutOfRange.
    """
    taken, already = tx.prepaid.take_to_grant(account, wanted.source_key)
    if already is not None:
        return None
    granted = grant(taken, wanted, tx)
    keep_moved(granted, tx)
    return granted


def take_back_once(
    tx: Transaction, grant_key: str, source_key: str, credits_micro: int, reason: str
) -> TakenBack | None:
    """Take back credits that were granted for `grant_key`, for a refund or a dispute; None where
    that has been done for it already. Refuses: GrantUnknown, ClawBackExceedsGrant.
    """
    accounts, granted, already = tx.prepaid.take_granted(grant_key, source_key)
    if already:
        return None
    return _take_back(tx, accounts, granted, credits_micro, source_key, reason)


def take_back_of_grant(
    tx: Transaction, grant_key: str, source_key: str, due_micro: int, reason: str
) -> TakenBack | None:
    """Take back what is missing to so many credits of a grant that are to be back in all; None
    where that is nothing, or was done for this already. Refuses: GrantUnknown.
    """
    accounts, granted, already = tx.prepaid.take_granted(grant_key, source_key)
    missing = min(due_micro, granted.root.granted_micro) - granted.asked_micro
    if already or missing <= 0:
        return None
    return _take_back(tx, accounts, granted, missing, source_key, reason)


def take_back_share(
    tx: Transaction, grant_key: str, source_key: str, gone: Money, whole: Money, reason: str
) -> TakenBack | None:
    """Take back of a grant the share that `gone` is of the `whole` that it came with, less what was
    taken back before, rounded down: no debt is made up. None where that is nothing, was done for
    this already, or nothing was granted. Refuses: CurrenciesDiffer.
    """
    try:
        accounts, granted, already = tx.prepaid.take_granted(grant_key, source_key)
    except GrantUnknown:
        return None
    missing = _share(granted, gone, whole) - granted.asked_micro
    if already or missing <= 0:
        return None
    return _take_back(tx, accounts, granted, missing, source_key, reason)


def give_back_what_is_not_gone(
    tx: Transaction, grant_key: str, source_key: str, gone: Money, whole: Money, reason: str
) -> None:
    """Give back what was taken for a dispute that is won, once, but for what is still `gone` of the
    `whole`: a refund beside the dispute has found less left to take than it asked for. That is
    taken by the same commit, as `kept:` of the dispute, so that nobody spends it in between.

    Refuses: CurrenciesDiffer, CreditsOutOfRange.
    """
    try:
        _, taken, moves = tx.prepaid.take_claw_back(source_key)
        accounts, granted, _ = tx.prepaid.take_granted(grant_key, source_key)
    except (GrantUnknown, ClawBackUnknown, ClawBackReversed):
        return
    account = next(each for each in accounts if each.id == granted.root.account_id)
    given = give_back(account, taken, moves, reason, tx)
    keep_moved(given, tx)
    tx.prepaid.keep_reversal(given.reversal)
    left = without(granted, taken, given.reversal.returned_micro)
    missing = _share(left, gone, whole) - left.asked_micro
    if missing > 0:
        _take_back(tx, accounts, left, missing, f"{KEPT}{source_key}", reason)


def _share(granted: GrantedCredits, gone: Money, whole: Money) -> int:
    """The share of a grant that so much is of a whole, rounded down."""
    micro = granted.root.granted_micro
    return micro if gone >= whole else micro * gone.amount_micro // whole.amount_micro


def _take_back(
    tx: Transaction,
    accounts: Sequence[CreditAccount],
    granted: GrantedCredits,
    credits_micro: int,
    source_key: str,
    reason: str,
) -> TakenBack:
    taken = claw_back(accounts, granted, credits_micro, source_key, reason, tx)
    tx.prepaid.keep_claw_back(taken.claw_back)
    for fact in taken.facts:
        keep_moved(fact, tx)
    return taken
