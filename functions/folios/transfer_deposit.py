"""Move what stands on a folio in credit to another folio of the property: both right, or as before.

A company has paid ahead for two rooms, a guest moves in with a friend: a folio in credit cannot
close, and its money goes where it is owed. The payment stays where it was recorded, and what was
moved is not given back there before it has been moved back.
"""

from common.contracts.fields import FreeText, Payable
from common.contracts.references import DepositTransferRef, FolioRef
from common.contracts.shapes import Request
from common.contracts.transfers import TransferAnswer
from common.domain.deposit import TransferExceedsCredit, move_deposit
from common.domain.folio import FolioAlreadyClosed, FolioUnknown
from common.domain.money import AmountNotPositive, CurrenciesDiffer
from common.domain.transfer import TransferCrossProperty, TransferToSameFolio
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class TransferDeposit(Request):
    """How much moves, where to, and why; `id` is that of the line that takes it away here."""

    folio_id: FolioRef
    id: DepositTransferRef
    to_folio_id: FolioRef
    amount: Payable
    reason: FreeText


@http_function(
    "POST",
    "/folios/{folio_id}/deposits/transfers",
    scope="billing.folio.write",
    status=201,
    moves_money=True,
    creates=True,
    etag="folio",
    refusals=(
        FolioUnknown,
        TransferToSameFolio,
        TransferCrossProperty,
        CurrenciesDiffer,
        FolioAlreadyClosed,
        AmountNotPositive,
        TransferExceedsCredit,
    ),
)
def transfer_deposit(request: TransferDeposit, tx: Transaction) -> TransferAnswer:
    """Move what a folio is in credit by to another one, and answer the balances it leaves.

    Refuses: FolioUnknown, TransferToSameFolio, TransferCrossProperty, CurrenciesDiffer,
    FolioAlreadyClosed, AmountNotPositive, TransferExceedsCredit.
    """
    source, target, standing = tx.deposits.take_both(request.folio_id, request.to_folio_id)
    moved = move_deposit(
        source, target, standing, request.amount, tx, id=request.id, reason=request.reason
    )
    for folio, fact in ((source, moved.left), (target, moved.reached)):
        tx.folios.keep(folio)
        tx.ledger.post(fact)
        tx.tell(fact)
    return TransferAnswer.between(moved)
