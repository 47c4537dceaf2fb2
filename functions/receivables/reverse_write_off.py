"""Take a write-off back: a company pays after all, or its invoice turns out to be wrong.

What was given up is open again and no bad debt any more, and is then paid, or set off, as anything
else that is owed. It takes a fresh confirmation of exactly this write-off:
`common.domain.write_off_taken_back` has the document whose SHA-256 the confirmation bears.
"""

from common.contracts.company_accounts import WriteOffAnswer
from common.contracts.fields import FreeText
from common.contracts.references import CompanyAccountRef, WriteOffRef
from common.contracts.shapes import Request
from common.domain.company_account import CompanyAccountUnknown
from common.domain.identifiers import WriteOffId
from common.domain.receivable import WriteOffTakenBackAlready, WriteOffUnknown
from common.domain.write_off_taken_back import take_write_off_back, taking_back_sha256
from common.ports.identity import Actor
from common.ports.transaction import Transaction
from common.procedures.confirming import confirmed
from common.runtime.declaration import http_function


class ReverseWriteOff(Request):
    """The write-off in the path, and why it is taken back."""

    account_id: CompanyAccountRef
    write_off_id: WriteOffRef
    reason: FreeText


def what_is_confirmed(request: ReverseWriteOff, actor: Actor) -> str:
    """That this write-off is taken back."""
    return taking_back_sha256(actor.tenant_id, request.account_id, request.write_off_id).hex()


@http_function(
    "POST",
    "/company-accounts/{account_id}/write-offs/{write_off_id}/reverse",
    scope="billing.receivable.write_off",
    status=201,
    step_up=True,
    context=what_is_confirmed,
    moves_money=True,
    etag="company_account",
    refusals=(CompanyAccountUnknown, WriteOffUnknown, WriteOffTakenBackAlready),
)
def reverse_write_off(request: ReverseWriteOff, tx: Transaction) -> WriteOffAnswer:
    """Take a write-off back, and answer what is open again.

    Refuses: CompanyAccountUnknown, WriteOffUnknown, WriteOffTakenBackAlready.
    """
    account, given_up, item, taken_back_already = tx.company_accounts.take_with_write_off(
        request.account_id, request.write_off_id
    )
    back = take_write_off_back(
        account,
        given_up,
        item,
        tx,
        id=tx.new_id(WriteOffId),
        taken_back_already=taken_back_already,
        reason=request.reason,
        confirmed=confirmed(tx),
    )
    tx.company_accounts.keep(account)
    tx.company_accounts.keep_write_off(back.write_off, back.item)
    tx.ledger.post(back)
    tx.tell(back)
    return WriteOffAnswer.of(back)
