"""What an invoice says: the document that is hashed, signed, printed and handed to an auditor.

One document holds everything that the page shows and that a program needs to check it: the lines
with their taxes, the breakdown by rate, the sums, the payments, the rates of exchange, and its
place in the series with the hash of the document before. Money is whole micro units, always of
minor units. Nothing in it is personal: whom it was billed to is committed to by a salted hash.

A charge that was voided before the invoice is on it by id alone. The rows are what stands, and
they add up: where tax is rounded per invoice, the tax of each row is the step of the rounded sum
over the rows, which ends where the folio's own sum did (TAX-3). A document that did not add up
would be refused rather than signed.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from common.domain.charge import TaxSums
from common.domain.dataclass import dataclass
from common.domain.folio import Folio
from common.domain.folio_line import MONEY, Line, LineType, Posting, Text, standing
from common.domain.fx import FxSnapshot
from common.domain.guest import Stay
from common.domain.home_tax import HomeTax, TaxRow, in_home_currency, rate_between
from common.domain.identifiers import DocumentId
from common.domain.moment import Moment
from common.domain.money import Currency, Money
from common.domain.payment import Payment
from common.domain.refund import Refund
from common.domain.settings import Issuer
from common.domain.settlement import FxShown, Settlement
from common.domain.tax import TaxAmount, Taxation, TaxGroup, invoice_breakdown

PAYLOAD_SCHEMA = "melmastoon.billing.invoice/1"

Document = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which document of which series this is. Year 0 is a series that never restarts."""

    id: DocumentId
    number: str
    jurisdiction: str
    document_type: str
    year: int
    sequence: int
    issued_at: datetime
    previous_sha256: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What an invoice comes to: `due` is `gross + rounding - paid`."""

    net: Money
    tax: Money
    paid: Money
    rounding: Money

    @classmethod
    def of(cls, lines: Iterable[Line], currency: Currency) -> "Totals":
        """The sums over lines of a folio. Refuses: AmountOutOfRange."""
        net = tax = paid = rounding = Money.zero(currency)
        for line in lines:
            match line.type:
                case _ if line.type in MONEY:
                    paid -= line.amount
                case LineType.ROUNDING:
                    rounding += line.amount
                case _ if line.tax:
                    tax += line.amount
                case _:
                    net += line.amount
        return cls(net=net, tax=tax, paid=paid, rounding=rounding)

    @property
    def gross(self) -> Money:
        """What was consumed, taxes included."""
        return self.net + self.tax

    @property
    def total(self) -> Money:
        """What was to be paid."""
        return self.gross + self.rounding

    @property
    def due(self) -> Money:
        """What is still to be paid."""
        return self.total - self.paid


@dataclass(frozen=True, slots=True)
class Row:
    """A posting that stands, with the taxes that it bears on this document."""

    posting: Posting
    taxation: Taxation


def document(
    place: Place,
    folio: Folio,
    lines: Sequence[Line],
    payments: Sequence[Payment],
    settlement: Settlement,
    commitment: str,
    moment: Moment,
    refunds: Sequence[Refund] = (),
) -> Document:
    """The invoice over `lines`, which are on no document yet.

    Raises `ValueError` when rows and lines do not come to the same. Refuses: AmountOutOfRange,
    FxRateMissing (where the law asks for tax in a currency that nobody gave a rate for).
    """
    settings = moment.settings
    totals = Totals.of(lines, folio.currency)
    rows = rows_of(lines)
    _must_add_up(rows, totals)
    return {
        "schema": PAYLOAD_SCHEMA,
        "invoiceId": place.id,
        "number": place.number,
        "type": place.document_type,
        "issuedAt": instant(place.issued_at),
        "businessDate": settings.property(folio.property_id).business_date(moment.now).isoformat(),
        "tenantId": str(settings.tenant_id),
        "propertyId": str(folio.property_id),
        "issuer": issuer_part(settings.issuer),
        "customer": {"commitment": commitment},
        "folioId": folio.id,
        "settlementId": settlement.id,
        "reservationId": folio.reservation_id,
        "stay": _stay(folio.stay) if folio.stay else None,
        "currency": folio.currency,
        "lines": [row_document(row, settings.language) for row in rows],
        "lineIds": [line.id for line in lines],
        "taxBreakdown": [_group(group) for group in breakdown_of(rows)],
        "totals": _totals(totals),
        "payments": payment_rows(lines, payments, refunds),
        "fx": _fx(settlement.fx, folio.currency) if settlement.fx else None,
        "series": series_part(place),
        "previousDocumentSha256": place.previous_sha256.hex() if place.previous_sha256 else None,
        "language": settings.language,
    } | home_tax_part(_home_tax(breakdown_of(rows), folio, moment))


def rows_of(lines: Iterable[Line]) -> list[Row]:
    """What stands among the lines, each with its tax on a document of nothing else."""
    sums = TaxSums()
    return [Row(posting, sums.posted(posting.taxation)) for posting in standing(lines)]


def breakdown_of(rows: Iterable[Row]) -> tuple[TaxGroup, ...]:
    """Tax by rule, rate and category (EN 16931 BG-23): the sums of the rows."""
    return invoice_breakdown(tax for row in rows for tax in row.taxation.taxes)


def in_language(text: Text, language: str) -> str:
    """A description in a language, or in the nearest thing to it that was given."""
    nearest = (language, language.partition("-")[0], "und", *text)
    return next((text[each] for each in nearest if text.get(each)), "")


def home_tax_part(home_tax: HomeTax | None) -> Document:
    """Tax in the home currency, as documents hold it; nothing where no law asks for it."""
    if home_tax is None:
        return {}
    return {
        "taxInHomeCurrency": {
            "currency": home_tax.total.currency,
            "rate": _snapshot(home_tax.rate),
            "groups": [
                {
                    "code": row.code,
                    "ratePpm": row.rate_ppm,
                    "category": row.category,
                    "amountMicro": row.tax.amount_micro,
                }
                for row in home_tax.rows
            ],
            "taxMicro": home_tax.total.amount_micro,
        }
    }


def _home_tax(groups: Iterable[TaxGroup], folio: Folio, moment: Moment) -> HomeTax | None:
    home = moment.settings.property(folio.property_id).tax_currency
    if home is None or home == folio.currency:
        return None
    rates = (*folio.rates.snapshots, *moment.settings.fx_rates)
    rows = [TaxRow(group.rule_code, group.rate_ppm, group.category, group.tax) for group in groups]
    return in_home_currency(rows, home, rate_between(home, folio.currency, rates))


def _must_add_up(rows: Sequence[Row], totals: Totals) -> None:
    currency = totals.net.currency
    net = Money.total((row.taxation.net for row in rows), currency)
    gross = Money.total((row.taxation.gross for row in rows), currency)
    tax = Money.total((group.tax for group in breakdown_of(rows)), currency)
    if (net, gross, tax) != (totals.net, totals.gross, totals.tax):
        raise ValueError(f"rows come to {net}, {gross}, {tax} and not to {totals}")


def issuer_part(issuer: Issuer) -> Document:
    logo: Document = {"logoSha256": issuer.logo_sha256} if issuer.logo_sha256 else {}
    return logo | {
        "name": issuer.name,
        "addressLines": list(issuer.address_lines),
        "taxId": issuer.tax_id,
        "country": issuer.country,
    }


def _stay(stay: Stay) -> Document:
    return {"from": stay.arrival.isoformat(), "to": stay.departure.isoformat()}


def row_document(row: Row, language: str) -> Document:
    """A row as documents hold it."""
    line, taxation = row.posting.line, row.taxation
    return {
        "lineId": line.id,
        "sequence": line.sequence,
        "type": line.type.value,
        "corrects": line.corrects,
        "kind": line.kind,
        "description": in_language(line.description, language),
        "quantity": line.quantity or "1",
        "unitAmountMicro": (line.unit_amount or taxation.price).amount_micro,
        "netMicro": taxation.net.amount_micro,
        "taxMicro": (taxation.gross - taxation.net).amount_micro,
        "grossMicro": taxation.gross.amount_micro,
        "serviceDate": (line.service_date or line.business_date).isoformat(),
        "businessDate": line.business_date.isoformat(),
        "settingsVersion": line.settings_version,
        "untaxed": line.untaxed,
        "taxes": [_tax(tax) for tax in taxation.taxes],
    }


def _tax(tax: TaxAmount) -> Document:
    return {
        "code": tax.rule_code,
        "name": tax.name,
        "ratePpm": tax.rate_ppm,
        "amountMicro": tax.amount.amount_micro,
        "baseMicro": tax.base.amount_micro,
        "category": tax.category,
        "inclusive": tax.inclusive,
        "levy": tax.levy,
    }


def _group(group: TaxGroup) -> Document:
    return {
        "code": group.rule_code,
        "name": group.name,
        "ratePpm": group.rate_ppm,
        "category": group.category,
        "levy": group.levy,
        "baseMicro": group.base.amount_micro,
        "amountMicro": group.tax.amount_micro,
    }


def _totals(totals: Totals) -> Document:
    return {
        "netMicro": totals.net.amount_micro,
        "taxMicro": totals.tax.amount_micro,
        "grossMicro": totals.gross.amount_micro,
        "paidMicro": totals.paid.amount_micro,
        "roundingMicro": totals.rounding.amount_micro,
        "dueMicro": totals.due.amount_micro,
    }


def payment_rows(
    lines: Iterable[Line], payments: Iterable[Payment], refunds: Iterable[Refund]
) -> list[Document]:
    """The payments among the lines, and as less than nothing what was refunded, in their order.

    A refund that failed was none, and neither it nor its reversal is shown. A deposit that came
    from another folio is shown as paid, and one that went to another as given back.
    """
    paid = {str(payment.id): payment for payment in payments}
    refunded = {str(refund.id): refund for refund in refunds if refund.failure_code is None}
    rows = []
    for line in lines:
        if line.type is LineType.PAYMENT:
            rows.append(_payment(paid[line.id], 1))
        elif line.type is LineType.REFUND and line.id in refunded:
            rows.append(_payment(refunded[line.id], -1))
        elif line.type is LineType.DEPOSIT_TRANSFER:
            rows.append(_moved(line))
    return rows


def _moved(line: Line) -> Document:
    return {
        "method": line.type.value,
        "paidMicro": -line.amount.amount_micro,
        "paidCurrency": line.amount.currency,
        "amountMicro": -line.amount.amount_micro,
        "businessDate": line.business_date.isoformat(),
    }


def _payment(payment: Payment | Refund, sign: int) -> Document:
    return {
        "method": payment.method.value,
        "paidMicro": sign * payment.paid.amount_micro,
        "paidCurrency": payment.paid.currency,
        "amountMicro": sign * payment.amount.amount_micro,
        "businessDate": payment.business_date.isoformat(),
    }


def _fx(shown: Sequence[FxShown], currency: Currency) -> Document:
    """Pinned rates beside today's; the difference is of the payments that have a rate today."""
    differences = [fx.difference for fx in shown if fx.difference is not None]
    return {
        "snapshots": [_snapshot(fx.pinned) for fx in shown],
        "today": [_snapshot(fx.today) for fx in shown if fx.today],
        "differenceMicro": (
            Money.total(differences, currency).amount_micro if differences else None
        ),
    }


def _snapshot(rate: FxSnapshot) -> Document:
    return {
        "base": rate.base,
        "quote": rate.quote,
        "rate": rate.rate,
        "source": rate.source,
        "takenAt": instant(rate.taken_at),
    }


def series_part(place: Place) -> Document:
    return {
        "jurisdiction": place.jurisdiction,
        "documentType": place.document_type,
        "year": place.year or None,
        "sequence": place.sequence,
    }


def instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
