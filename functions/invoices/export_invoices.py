"""Export a period's invoices and credit notes for the accountant: a table, or an archive of XML.

One export has both kinds, because both are entries of the same books. It is read in pieces, each
in a transaction of its own, and written as it is read: however slow the reader, no transaction
stays open for them. What it costs is bounded: so many documents, and so many exports a minute.
"""

from typing import Literal

from common.contracts.fields import Day
from common.contracts.references import PropertyRef
from common.contracts.shapes import Request
from common.domain.account_statement import PeriodInvalid, must_be_a_period
from common.domain.sales_journal import ExportTooLarge
from common.ports.transaction import Transaction
from common.procedures.exporting import (
    DOCUMENTS_MAX,
    Export,
    pieces_of,
    read_piece,
    write,
)
from common.runtime.declaration import CSV, ZIP, RateLimit, Stream, http_function


class ExportInvoices(Request):
    """The first and last business date of issue, and the format; a property, or all of them."""

    first: Day
    last: Day
    format: Literal["csv", "xml"]
    property_id: PropertyRef | None = None


@http_function(
    "GET",
    "/invoices/export",
    scope="billing.invoice.read",
    streams=Stream(pieces=pieces_of, read=read_piece, write=write, media_types=(CSV, ZIP)),
    needs=("database", "printer"),
    limits=(RateLimit(quota=10, window_seconds=60),),
    refusals=(PeriodInvalid, ExportTooLarge),
)
def export_invoices(request: ExportInvoices, tx: Transaction) -> Export:
    """Answer the invoices and credit notes of a period as a file, by series and number.

    Refuses: PeriodInvalid, ExportTooLarge.
    """
    must_be_a_period(request.first, request.last)
    journal = tx.sales_journal.of(request.first, request.last, request.property_id)
    journal.must_not_exceed(DOCUMENTS_MAX[request.format])
    return Export(format=request.format, journal=journal)
