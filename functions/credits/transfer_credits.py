"""Move credits between two accounts of the tenant; the other one opens with its first credits."""

from common.contracts.fields import CreditsMicro, FreeText, Word
from common.contracts.prepaid import CreditTransferAnswer
from common.contracts.shapes import Request
from common.domain.prepaid_account import (
    MAIN,
    CreditAccountUnknown,
    CreditBalanceLimit,
    CreditsOutOfRange,
    InsufficientCredits,
)
from common.domain.prepaid_transfer import TransferToSameAccount, transfer
from common.ports.transaction import Transaction
from common.procedures.moving import keep_moved
from common.runtime.declaration import http_function


class TransferCredits(Request):
    """How many credits move, out of which account and to which."""

    from_account: Word = MAIN
    to_account: Word
    credits_micro: CreditsMicro
    reason: FreeText | None = None


@http_function(
    "POST",
    "/credits/transfer",
    scope="billing.credits.write",
    status=201,
    moves_money=True,
    refusals=(
        CreditAccountUnknown,
        TransferToSameAccount,
        InsufficientCredits,
        CreditBalanceLimit,
        CreditsOutOfRange,
    ),
)
def transfer_credits(request: TransferCredits, tx: Transaction) -> CreditTransferAnswer:
    """Move credits to another account, and answer what both have.

    Refuses: CreditAccountUnknown, TransferToSameAccount, InsufficientCredits, CreditBalanceLimit,
    CreditsOutOfRange.
    """
    source, target = tx.prepaid.take_both(request.from_account, request.to_account)
    moved = transfer(source, target, request.credits_micro, request.reason, tx)
    keep_moved(moved.left, tx)
    keep_moved(moved.reached, tx)
    return CreditTransferAnswer.between(moved, tx)
