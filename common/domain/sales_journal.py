"""The documents of a period as an accountant takes them over: invoices and credit notes together.

Both are entries of one journal: a credit note takes back what an invoice asked for, and whoever
books a month needs each. They come by series and in the order of their numbers, so that a missing
one shows. What is said of a document is what was signed, and who it is made out to, unless erased;
whether it was credited since is not, because the credit note that says so is an entry itself.

Nobody waits for a long export and it waits for nobody: it is read in pieces, in many transactions.
It is one consistent view all the same. Documents never change, and a series is locked until its
document is committed, so that below the last number that one question finds nothing comes later.
What is issued while the export runs is behind that number, and belongs to the next one.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from common.domain.dataclass import dataclass
from common.domain.identifiers import PropertyId
from common.domain.issued_document import IssuedDocument
from common.domain.money import MICRO_EXPONENT, Currency
from common.domain.refusal import Unmet

PIECE_NUMBERS: Final = 50
COLUMNS: Final = (
    "record",
    "kind",
    "number",
    "jurisdiction",
    "year",
    "place",
    "issue_date",
    "issued_at",
    "property_id",
    "folio_id",
    "corrects",
    "customer",
    "customer_tax_id",
    "currency",
    "net",
    "tax",
    "rounding",
    "total",
    "tax_code",
    "tax_name",
    "tax_category",
    "tax_rate_percent",
    "tax_base",
    "tax_amount",
    "sha256",
    "documents",
    "lines",
)
Cell = str | int | Decimal | None


class ExportTooLarge(Unmet):
    code = "EXPORT_TOO_LARGE"
    title = "The period holds more documents than one export takes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The documents of the period in one series: their first and last number, and how many."""

    jurisdiction: str
    document_type: str
    year: int
    first: int
    last: int
    documents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """What there was of a period when it was asked: business dates, both days included."""

    first: date
    last: date
    property_id: PropertyId | None
    stretches: tuple[Stretch, ...]

    @property
    def documents(self) -> int:
        """How many documents it has."""
        return sum(stretch.documents for stretch in self.stretches)

    def must_not_exceed(self, documents_max: int) -> None:
        """Refuses: ExportTooLarge."""
        if self.documents > documents_max:
            raise ExportTooLarge(documents=self.documents, atMost=documents_max)

    def pieces(self) -> "Iterator[Piece]":
        """The journal cut into runs of numbers, which can be read one by one."""
        for stretch in self.stretches:
            for number in range(stretch.first, stretch.last + 1, PIECE_NUMBERS):
                until = min(number + PIECE_NUMBERS - 1, stretch.last)
                yield Piece(journal=self, stretch=stretch, first=number, last=until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of numbers of a series, of which those of the period are meant."""

    journal: Journal
    stretch: Stretch
    first: int
    last: int


def rows_of(document: IssuedDocument, payload: dict[str, Any]) -> list[Sequence[Cell]]:
    """A document's line, and one for each tax that it bears; amounts with their ISO 4217 decimals.

    `record` says which of the two a line is; sums are of one kind of line only. The amounts are the
    document's own: what a credit note gives back is more than nothing, as it is on paper.
    """
    totals, person = payload["totals"], document.person.document if document.person else {}
    common = {
        "kind": document.document_type,
        "number": document.number,
        "jurisdiction": document.jurisdiction,
        "year": document.year,
        "place": document.series_number,
        "issue_date": payload["businessDate"],
        "issued_at": payload["issuedAt"],
        "property_id": str(document.property_id),
        "folio_id": document.folio_id,
        "corrects": payload.get("invoice", {}).get("number"),
        "customer": person.get("name"),
        "customer_tax_id": person.get("taxId"),
        "currency": document.currency,
        "sha256": document.payload_sha256.hex(),
    }
    sums = {
        name: amount(totals[f"{name}Micro"], document.currency)
        for name in ("net", "tax", "rounding")
    }
    sums["total"] = amount(document.total.amount_micro, document.currency)
    taxes = [_tax(group, document.currency) for group in payload["taxBreakdown"]]
    return [
        row({"record": "document", **common, **sums}),
        *(row({"record": "tax", **common, **tax}) for tax in taxes),
    ]


def row(cells: dict[str, Any]) -> Sequence[Cell]:
    """Cells in the order of the columns; what is not given is empty."""
    return [cells.get(column) for column in COLUMNS]


def amount(micro: int, currency: Currency) -> Decimal:
    """Micro units as a decimal with the decimals of the currency's minor unit: `12.50`."""
    exact = Decimal(micro).scaleb(-MICRO_EXPONENT)
    return exact.quantize(Decimal(1).scaleb(-currency.minor_exponent))


def _tax(group: dict[str, Any], currency: Currency) -> dict[str, Cell]:
    """A group of the breakdown; a tax by night or person has no rate."""
    rate = group["ratePpm"]
    return {
        "tax_code": group["code"],
        "tax_name": group["name"],
        "tax_category": group["category"],
        "tax_rate_percent": None if rate is None else Decimal(rate).scaleb(-4).normalize(),
        "tax_base": amount(group["baseMicro"], currency),
        "tax_amount": amount(group["amountMicro"], currency),
    }
