"""The processor will not make a refund: it is taken back, whoever tells us first."""

from common.contracts.incoming import RefundNotMade
from common.ports.transaction import Transaction
from common.procedures.refunding import keep_result
from common.runtime.declaration import event_function


@event_function("melmastoon.payment_gateway.refund.failed.v1")
def on_refund_failed(refused: RefundNotMade, tx: Transaction) -> None:
    """Take the refund back, unless it is settled: what was said first stays.

    Refuses: FolioUnknown, RefundUnknown.
    """
    keep_result(refused.folio_id, refused.refund_id, refused.failure_code, tx)
