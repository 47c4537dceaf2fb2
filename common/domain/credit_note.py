"""A credit note: what takes an issued invoice back, in full or in part (INV-2).

An invoice is never changed; a credit note names it and the lines that it corrects. It takes money
off a line at that line's own rates: the amount is shared among the line's net price and taxes in
proportion to what is left of each, the minor units that remain going to the largest remainders
(MON-3). So no part of a line is ever credited beyond what it came to, and whatever the pieces were,
the last one takes exactly what is left. With the last of an invoice goes the residual of conversion
that was rounded away when the folio closed.

What was credited is owed to the customer: it stands on `credit_notes_payable` until it is paid out
or set off. The folio stays closed and balanced; its invoice was paid.

Why something was credited is written into the audit trail, not into the document: a payload is kept
for ever, and what a clerk writes about a guest is personal.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import ClassVar, Final
from uuid import UUID

from common.domain.aggregate import Fact
from common.domain.canonical import canonical, digest
from common.domain.cash import Confirmed
from common.domain.credit_payload import credit_document
from common.domain.credited import InvoicedLine, Portion, invoiced_lines
from common.domain.dataclass import dataclass
from common.domain.identifiers import CreditNoteId, InvoiceId, LineId, SettlementId
from common.domain.invoice import Invoice, InvoiceFact
from common.domain.issued_document import DocumentRendered, DocumentSent, IssuedDocument, Series
from common.domain.ledger import ROUNDING, Entry, movement, revenue, tax_payable
from common.domain.moment import Moment
from common.domain.money import AmountNotPositive, CurrenciesDiffer, Money
from common.domain.refusal import Conflict, Missing, Unmet

CREDIT_NOTES_PAYABLE: Final = "credit_notes_payable"
CREDITING: Final = "credit_note.issue"
VOIDING: Final = "invoice.void"


class CreditNoteUnknown(Missing):
    code = "CREDIT_NOTE_UNKNOWN"
    title = "There is no such credit note"


class InvoiceAlreadyVoided(Conflict):
    code = "INVOICE_VOIDED"
    title = "The invoice has been credited in full already"


class LineNotInvoiced(Unmet):
    code = "LINE_NOT_INVOICED"
    title = "The invoice has no such line that stands"


class CreditExceedsInvoice(Unmet):
    code = "CREDIT_EXCEEDS_INVOICE"
    title = "The credit is more than what is left of the invoice or its line"


class LineCorrected(Conflict):
    code = "LINE_CORRECTED"
    title = "The line was corrected on its folio; what is left of it is corrected there as well"


class FolioOpenAgain(Conflict):
    code = "FOLIO_OPEN_AGAIN"
    title = "The folio of the invoice is open again; it is corrected there"


@dataclass(frozen=True, slots=True)
class CreditedLine:
    """What a credit note takes off a line of the invoice, and what others had taken before."""

    line: InvoicedLine
    before: Money
    portion: Portion


@dataclass(frozen=True, kw_only=True)
class CreditNoteFact(Fact):
    """Something that happened to a credit note."""

    subject: "CreditNote" = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class CreditNoteIssued(CreditNoteFact):
    """The document, with the ledger entries that it makes."""

    name = "credit_note.issued"
    subject: "CreditNote"
    entries: tuple[Entry, ...]


@dataclass(frozen=True, kw_only=True)
class CreditNoteRendered(DocumentRendered):
    name = "credit_note.rendered"


@dataclass(frozen=True, kw_only=True)
class CreditNoteSent(DocumentSent):
    name = "credit_note.sent"


@dataclass(frozen=True, kw_only=True)
class InvoiceVoided(InvoiceFact):
    """Nothing is left of the invoice; this credit note took the last of it."""

    name = "invoice.voided"
    credit_note_id: CreditNoteId


@dataclass(kw_only=True)
class CreditNote(IssuedDocument):
    """See the module. `lines` are those that a new one takes something off.

    Where a folio was opened again and came to less, a new one holds the lines of the folio that
    say so instead: `line_ids`, and the settlement that they belong to.
    """

    kind: ClassVar[str] = "credit_note"
    rendered_fact = CreditNoteRendered
    sent_fact = CreditNoteSent
    id: CreditNoteId
    invoice_id: InvoiceId
    lines: tuple[CreditedLine, ...] = ()
    line_ids: tuple[str, ...] = ()
    settlement_id: SettlementId | None = None
    confirmed: Confirmed | None = None


@dataclass(slots=True, kw_only=True)
class Credits:
    """A locked row: how much of an invoice has been credited. `by_line` is what of each line.

    `corrected` are lines of charges that stand on another document of the folio as well.
    """

    invoice: Invoice
    credited: Money
    by_line: Mapping[LineId, Portion]
    status: str = "issued"
    corrected: frozenset[LineId] = frozenset()
    folio_is_open: bool = False

    @property
    def left(self) -> Money:
        """What is left of the invoice."""
        return self.invoice.total - self.credited

    def take(
        self, asked: Sequence[tuple[LineId, Money]] | None
    ) -> tuple[tuple[CreditedLine, ...], Money]:
        """Take amounts off lines, or everything that is left; and the rounding with the last.

        Amounts have the sign of their line. Refuses: FolioOpenAgain, InvoiceAlreadyVoided,
        LineNotInvoiced, LineCorrected, CreditExceedsInvoice, AmountNotPositive, CurrenciesDiffer,
        AmountNotInMinorUnits.
        """
        if self.folio_is_open:
            raise FolioOpenAgain(folioId=self.invoice.folio_id)
        if self.status == "voided":
            raise InvoiceAlreadyVoided(invoiceId=self.invoice.id)
        lines, rounding = invoiced_lines(self.invoice.payload)
        amounts = None if asked is None else self._amounts(lines, asked)
        offers = (self._off(line, amounts) for line in lines)
        taken = tuple(offer for offer in offers if offer is not None)
        gross = Money.total((each.portion.gross for each in taken), self.invoice.currency)
        after = {line.id: self._credited_of(line) for line in lines}
        after |= {each.line.id: after[each.line.id].plus(each.portion) for each in taken}
        is_all = all(after[line.id] == line.portion for line in lines)
        given_back = rounding if is_all else Money.zero(self.invoice.currency)
        total = gross + given_back
        if not is_all and total.amount_micro <= 0:
            raise AmountNotPositive()
        if total > self.left:
            raise CreditExceedsInvoice(leftMicro=self.left.amount_micro)
        self.credited += total
        self.status = "voided" if is_all else "credited"
        return taken, given_back

    def _off(
        self, line: InvoicedLine, amounts: Mapping[LineId, Money] | None
    ) -> CreditedLine | None:
        before = self._credited_of(line)
        left = line.portion.less(before)
        amount = left.gross if amounts is None else amounts.get(line.id)
        if amount is None or (amounts is None and amount.is_zero):
            return None
        if line.id in self.corrected:
            raise LineCorrected(lineId=line.id)
        if amount.in_minor_units().is_zero:
            raise AmountNotPositive()
        if amount.amount_micro * left.gross.amount_micro < 0 or abs(amount) > abs(left.gross):
            raise CreditExceedsInvoice(lineId=line.id, leftMicro=left.gross.amount_micro)
        return CreditedLine(line, before.gross, left.share(amount))

    def _amounts(
        self, lines: Sequence[InvoicedLine], asked: Sequence[tuple[LineId, Money]]
    ) -> Mapping[LineId, Money]:
        """What is asked for of each line; a line that is named twice is asked for both."""
        known, amounts = {line.id for line in lines}, dict[LineId, Money]()
        for line_id, amount in asked:
            if line_id not in known:
                raise LineNotInvoiced(lineId=line_id)
            if amount.currency != self.invoice.currency:
                raise CurrenciesDiffer(f"{amount.currency} and {self.invoice.currency}")
            amounts[line_id] = amount + amounts.get(line_id, Money.zero(amount.currency))
        return amounts

    def _credited_of(self, line: InvoicedLine) -> Portion:
        return self.by_line.get(line.id) or line.portion.none


def credit(
    credits: Credits,
    asked: Sequence[tuple[LineId, Money]] | None,
    series: Series,
    confirmed: Confirmed,
    reason: str,
    moment: Moment,
) -> tuple[CreditNoteIssued, InvoiceVoided | None]:
    """Issue the next credit note of a series over an invoice; with nothing asked, over all of it.

    Refuses: FolioOpenAgain, InvoiceAlreadyVoided, LineNotInvoiced, LineCorrected,
    CreditExceedsInvoice, AmountNotPositive, CurrenciesDiffer, AmountNotInMinorUnits.
    """
    taken, rounding = credits.take(asked)
    rows = [(each.line, each.portion) for each in taken]
    note = numbered(series, credits.invoice, rows, rounding, moment)
    note.lines, note.confirmed = taken, confirmed
    issued = CreditNoteIssued(
        subject=note,
        sequence=note.next_sequence(),
        reason=reason,
        entries=_entries(note, rounding),
    )
    return issued, _voided(credits, note.id, reason)


def numbered(
    series: Series,
    invoice: Invoice,
    rows: Sequence[tuple[InvoicedLine, Portion]],
    rounding: Money,
    moment: Moment,
    **further: object,
) -> CreditNote:
    """Give the next number of a series to what is given back, naming an invoice.

    `further` is what its document says beyond that. The series moves on when all else is done.
    """
    settings = moment.settings
    note_id = moment.new_id(CreditNoteId)
    place = series.next_place(note_id, settings.credit_note_prefix, moment.now)
    text = canonical(credit_document(place, invoice, rows, rounding, moment) | further)
    gross = Money.total((portion.gross for _, portion in rows), invoice.currency)
    note = CreditNote(
        id=note_id,
        invoice_id=invoice.id,
        folio_id=invoice.folio_id,
        property_id=invoice.property_id,
        jurisdiction=place.jurisdiction,
        document_type=place.document_type,
        year=place.year,
        series_number=place.sequence,
        number=place.number,
        currency=invoice.currency,
        total=gross + rounding,
        business_date=settings.property(invoice.property_id).business_date(moment.now),
        issued_at=place.issued_at,
        language=invoice.language,
        template_version=settings.credit_note_template,
        payload=text.decode(),
        payload_sha256=hashlib.sha256(text).digest(),
        previous_sha256=place.previous_sha256,
        person=invoice.person,
    )
    series.move_on(place, note.payload_sha256)
    return note


def crediting_sha256(
    tenant_id: UUID, invoice_id: InvoiceId, lines: Sequence[tuple[LineId, Money]]
) -> bytes:
    """What is confirmed by who credits lines of an invoice: which ones, and how much of each."""
    return digest(
        {
            "deed": CREDITING,
            "tenant": str(tenant_id),
            "invoice": invoice_id,
            "lines": [
                {"line": line, "amountMicro": amount.amount_micro, "currency": amount.currency}
                for line, amount in lines
            ],
        }
    )


def voiding_sha256(tenant_id: UUID, invoice_id: InvoiceId) -> bytes:
    """What is confirmed by who voids an invoice: all that is left of it."""
    return digest({"deed": VOIDING, "tenant": str(tenant_id), "invoice": invoice_id})


def _voided(credits: Credits, note_id: CreditNoteId, reason: str) -> InvoiceVoided | None:
    if credits.status != "voided":
        return None
    invoice = credits.invoice
    return InvoiceVoided(
        subject=invoice, sequence=invoice.next_sequence(), reason=reason, credit_note_id=note_id
    )


def _entries(note: CreditNote, rounding: Money) -> tuple[Entry, ...]:
    """Revenue and tax taken back, one entry for each account, and owed to the customer."""
    sums: dict[str, Money] = {}
    parts = [(ROUNDING, rounding)]
    for each in note.lines:
        parts.append((revenue(each.line.kind), each.portion.net))
        parts += [(tax_payable(tax.code), tax.amount) for tax in each.portion.taxes]
    for account, amount in parts:
        sums[account] = sums.get(account, Money.zero(note.currency)) + amount
    booked = [(account, amount) for account, amount in sorted(sums.items()) if not amount.is_zero]
    return tuple(
        movement(note.id, part, account, CREDIT_NOTES_PAYABLE, amount, note.business_date)
        for part, (account, amount) in enumerate(booked)
    )
