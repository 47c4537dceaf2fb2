"""A company owes again what was taken back of its card payment, once, whoever tells of it (WH-5).

The account is locked before anybody looks what was taken back already: of two that tell of it at
once the second finds what the first has done.
"""

from common.domain.company_taking_back import (
    CardReceipt,
    ReceiptGivenAgain,
    ReceiptTakenBack,
    give_again,
    take_back,
)
from common.domain.dispute import Dispute, DisputeStatus
from common.domain.identifiers import ReceiptId
from common.domain.money import AmountNotPositive, Money
from common.domain.receivable import CreditKind
from common.domain.refund import RefundExceedsPayment
from common.domain.webhook import WebhookContradictsBooks
from common.ports.transaction import Transaction


def company_refunded(
    processor_payment_id: str, processor_refund_id: str, amount: Money, tx: Transaction
) -> bool:
    """Money of a company's payment was given back at the processor; False where it paid none.

    Refuses: AmountNotPositive, WebhookContradictsBooks, RefundExceedsPayment.
    """
    paid = tx.company_accounts.take_paid_by(processor_payment_id)
    if paid is None:
        return False
    if paid.moved_by(CreditKind.REFUNDED_THERE, processor_refund_id) is not None:
        return True
    must_be_of(paid, amount)
    if amount > paid.left:
        raise RefundExceedsPayment(leftMicro=paid.left.amount_micro, currency=paid.left.currency)
    kind = CreditKind.REFUNDED_THERE
    _keep(take_back(paid, amount, tx, kind=kind, cause=processor_refund_id), tx)
    return True


def company_refund_failed(
    processor_payment_id: str, processor_refund_id: str, tx: Transaction
) -> None:
    """A refund of a company's payment has failed after it was made: what was given back is to the
    company's credit again. One that is not known to be made changes nothing.

    Refuses: WebhookContradictsBooks, where a bank has the same money for the company.
    """
    paid = tx.company_accounts.take_paid_by(processor_payment_id)
    if paid is None:
        return
    taken = paid.moved_by(CreditKind.REFUNDED_THERE, processor_refund_id)
    kind = CreditKind.REFUND_FAILED
    if taken is not None and paid.moved_by(kind, processor_refund_id) is None:
        _must_not_be_a_banks(paid, tx)
        _keep(give_again(paid, taken, tx, kind=kind), tx)


def owe_as_disputed(paid: CardReceipt, dispute: Dispute, tx: Transaction) -> None:
    """Let the company owe what its bank took of its payment, and have it back where it is won."""
    cause = dispute.processor_dispute_id
    taken = paid.moved_by(CreditKind.DISPUTED, cause)
    on_account = dispute.on_account
    if taken is None and on_account is not None and on_account.amount_micro > 0:
        _keep(take_back(paid, on_account, tx, kind=CreditKind.DISPUTED, cause=cause), tx)
    is_won = dispute.status is DisputeStatus.WON
    if is_won and taken and paid.moved_by(CreditKind.DISPUTE_WON, cause) is None:
        _keep(give_again(paid, taken, tx, kind=CreditKind.DISPUTE_WON), tx)


def _must_not_be_a_banks(paid: CardReceipt, tx: Transaction) -> None:
    """What went back and was asked for by a bank besides is not to the company's credit as well
    when it comes again: the bank has it. A person sees it, and runs it again where the claim is
    won. Refuses: WebhookContradictsBooks."""
    beyond = tx.disputes.beyond_what_is_owed(ReceiptId(paid.receipt.id), paid.account.currency)
    if beyond.amount_micro > 0:
        raise WebhookContradictsBooks("A bank has asked for this money as well.")


def must_be_of(paid: CardReceipt, amount: Money) -> None:
    """Refuses: AmountNotPositive, WebhookContradictsBooks."""
    if amount.amount_micro <= 0:
        raise AmountNotPositive()
    if amount.currency != paid.receipt.amount.currency:
        raise WebhookContradictsBooks("It is in another currency than its payment.")


def _keep(moved: ReceiptTakenBack | ReceiptGivenAgain, tx: Transaction) -> None:
    tx.company_accounts.keep(moved.subject)
    tx.company_accounts.keep_credit(moved.credit)
    tx.company_accounts.keep_allocations(moved.allocations, moved.items)
    tx.ledger.post(moved)
    tx.tell(moved)
