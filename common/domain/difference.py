"""A negative difference: the credit note of a folio that was opened again and came to less (CLO-4).

It holds the lines that came since the last document: what was taken back, what was posted anew, and
the money that went with it. They are booked where they were posted, on the folio, so the document
books nothing. Its rows are the opposite of the lines: positive for what the guest gets back. It
names the last invoice of the folio, and by the line ids of its rows what it corrects.

Whoever opened the folio again confirmed that it may come to less.
"""

from collections.abc import Sequence

from common.domain.cash import Confirmed
from common.domain.credit_note import CreditedLine, CreditNoteIssued, numbered
from common.domain.credited import InvoicedLine, Portion, portion_of
from common.domain.folio_line import MONEY, Line
from common.domain.invoice import Invoice
from common.domain.invoice_payload import Row, Totals, payment_rows, row_document, rows_of
from common.domain.issued_document import Series
from common.domain.moment import Moment
from common.domain.money import Currency, Money
from common.domain.payment import Payment
from common.domain.refund import Refund
from common.domain.settlement import Settlement


def is_credit(lines: Sequence[Line], currency: Currency) -> bool:
    """Whether lines that are on no document yet come to less than nothing."""
    return Totals.of(lines, currency).total.amount_micro < 0


def needs_document(lines: Sequence[Line]) -> bool:
    """Whether anything but money moved. What was voided at once is on a document by its ids."""
    return any(line.type not in MONEY for line in lines)


def credit_difference(
    invoice: Invoice,
    lines: Sequence[Line],
    payments: Sequence[Payment],
    settlement: Settlement,
    series: Series,
    confirmed: Confirmed,
    moment: Moment,
    refunds: Sequence[Refund] = (),
) -> CreditNoteIssued:
    """Issue the next credit note of a series over `lines`, which are on no document yet."""
    rows = [_given_back(row, invoice) for row in rows_of(lines)]
    note = numbered(
        series,
        invoice,
        rows,
        -Totals.of(lines, invoice.currency).rounding,
        moment,
        settlementId=settlement.id,
        lineIds=[line.id for line in lines],
        payments=payment_rows(lines, payments, refunds),
    )
    nothing = Money.zero(invoice.currency)
    note.lines = tuple(CreditedLine(line, nothing, portion) for line, portion in rows)
    note.line_ids = tuple(line.id for line in lines)
    note.settlement_id, note.confirmed = settlement.id, confirmed
    return CreditNoteIssued(subject=note, sequence=note.next_sequence(), entries=())


def _given_back(row: Row, invoice: Invoice) -> tuple[InvoicedLine, Portion]:
    """A row as a credit note has it: the other way round."""
    signed = row_document(row, invoice.language)
    portion = portion_of(signed, invoice.currency)
    line = InvoicedLine(row.posting.line.id, row.posting.line.kind, signed, portion)
    return line, portion.none.less(portion)
