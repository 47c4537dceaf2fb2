"""Write off what a company will never pay of an invoice, in full or in part.

It takes a fresh confirmation of exactly this amount of this invoice: `common.domain
.company_settling` has the document whose SHA-256 the confirmation bears. Who confirmed, and why,
stands on the write-off and in the audit trail.
"""

from common.contracts.company_accounts import WriteOffAnswer
from common.contracts.fields import FreeText, Payable
from common.contracts.references import CompanyAccountRef, InvoiceRef, WriteOffRef
from common.contracts.shapes import Request
from common.domain.company_account import CompanyAccountUnknown
from common.domain.company_settling import write_off, write_off_sha256
from common.domain.money import AmountNotPositive, CurrenciesDiffer
from common.domain.receivable import (
    ReceivableExceeded,
    ReceivableUnknown,
    WriteOffExceedsDebt,
)
from common.ports.identity import Actor
from common.ports.transaction import Transaction
from common.procedures.confirming import confirmed
from common.runtime.declaration import http_function


class WriteOffReceivable(Request):
    """How much of which invoice is given up, and why."""

    account_id: CompanyAccountRef
    id: WriteOffRef
    invoice_id: InvoiceRef
    amount: Payable
    reason: FreeText


def what_is_confirmed(request: WriteOffReceivable, actor: Actor) -> str:
    """This amount of this invoice, by this write-off."""
    return write_off_sha256(
        actor.tenant_id, request.account_id, request.invoice_id, request.id, request.amount
    ).hex()


@http_function(
    "POST",
    "/company-accounts/{account_id}/write-offs",
    scope="billing.receivable.write_off",
    status=201,
    step_up=True,
    context=what_is_confirmed,
    moves_money=True,
    creates=True,
    etag="company_account",
    refusals=(
        CompanyAccountUnknown,
        ReceivableUnknown,
        CurrenciesDiffer,
        AmountNotPositive,
        ReceivableExceeded,
        WriteOffExceedsDebt,
    ),
)
def write_off_receivable(request: WriteOffReceivable, tx: Transaction) -> WriteOffAnswer:
    """Give up an amount of an open invoice, and answer what is left of it.

    Refuses: CompanyAccountUnknown, ReceivableUnknown, CurrenciesDiffer, AmountNotPositive,
    ReceivableExceeded, WriteOffExceedsDebt.
    """
    account, items = tx.company_accounts.take_to_write_off(request.account_id, request.invoice_id)
    given_up = write_off(
        account,
        items,
        request.invoice_id,
        request.amount,
        tx,
        id=request.id,
        reason=request.reason,
        confirmed=confirmed(tx),
    )
    tx.company_accounts.keep(account)
    tx.company_accounts.keep_write_off(given_up.write_off, given_up.item)
    tx.ledger.post(given_up)
    tx.tell(given_up)
    return WriteOffAnswer.of(given_up)
