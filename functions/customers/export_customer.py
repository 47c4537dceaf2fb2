"""Hand out what there is about a customer and of what the customer has paid, as one document.

A guest may ask for it, and so may a bank. It is read in pieces, each in a transaction of its own,
and written as it is read; who was handed it is in the audit trail before the first byte leaves.
"""

from common.contracts.customer_exports import CustomerExport
from common.contracts.customers import CustomerView
from common.contracts.references import CustomerRef
from common.contracts.shapes import Request
from common.domain.customer import CustomerUnknown
from common.domain.customer_export import RECORDS_MAX, CustomerExportTooLarge
from common.ports.transaction import Transaction
from common.procedures.exporting_customers import pieces_of, read_piece, write
from common.runtime.declaration import JSON, RateLimit, Stream, http_function


class ExportCustomer(Request):
    """The customer in the path."""

    customer_id: CustomerRef


@http_function(
    "GET",
    "/customers/{customer_id}/export",
    scope="billing.customer.read",
    is_noted=True,
    streams=Stream(pieces=pieces_of, read=read_piece, write=write, media_types=(JSON,)),
    limits=(RateLimit(quota=10, window_seconds=60),),
    refusals=(CustomerUnknown, CustomerExportTooLarge),
)
def export_customer(request: ExportCustomer, tx: Transaction) -> CustomerExport:
    """Answer a customer with all payment methods and payments, as a file; never a token.

    Refuses: CustomerUnknown, CustomerExportTooLarge.
    """
    customer = tx.customers.get(request.customer_id)
    asked = tx.customers.to_export(customer.id, RECORDS_MAX + 1)
    asked.must_not_exceed(RECORDS_MAX)
    tx.tell(tx.customers.take_disclosures(customer.id).exported())
    return CustomerExport.begun(CustomerView.of(customer), asked, tx.now)
