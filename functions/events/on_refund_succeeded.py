"""The processor has made a refund: it is settled, whoever tells us first."""

from common.contracts.incoming import RefundMade
from common.ports.transaction import Transaction
from common.procedures.refunding import keep_result
from common.runtime.declaration import event_function


@event_function("melmastoon.payment_gateway.refund.succeeded.v1")
def on_refund_succeeded(made: RefundMade, tx: Transaction) -> None:
    """Settle the refund, unless it is settled: what was said first stays.

    Refuses: FolioUnknown, RefundUnknown.
    """
    keep_result(made.folio_id, made.refund_id, None, tx)
