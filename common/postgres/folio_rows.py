"""Folios, lines and payments as rows: each mapping in both directions, side by side."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Final

from common.domain.charge import TaxSums
from common.domain.folio import Folio, FolioStatus
from common.domain.folio_line import Line, LineType
from common.domain.fx import FxRates, FxSnapshot
from common.domain.guest import Guest, Stay
from common.domain.identifiers import (
    CashSessionId,
    ChargeId,
    CompanyAccountId,
    CreditAccountId,
    FolioId,
    LineId,
    PaymentId,
    PropertyId,
)
from common.domain.money import Currency, Money
from common.domain.nights import Occupancy
from common.domain.payment import Payment, PaymentMethod
from common.domain.reopening import Reopening
from common.domain.settlement import Settlement
from common.domain.tax import TaxAmount
from common.postgres.connection import Row

FOLIO_COLUMNS: Final = (
    "id, property_id, currency, status, guest_name, guest, reservation_id, window_name, windows,"
    " routing, stay, fx, tax_sums, balance_micro, last_line, business_date, opened_at, closed_at,"
    " version, trail, state_digest, pending_refunds, reopened, billed_to, deposits_micro"
)
LINE_COLUMNS: Final = (
    "sequence, id, type, kind, description, window_name, quantity, unit_amount_micro,"
    " amount_micro, currency, business_date, service_date, source, external_reference, corrects,"
    " charge_id, reason, tax, untaxed, settings_version, occupancy, moved_from"
)
LINE_AS_READ: Final = (
    f"{LINE_COLUMNS}, EXISTS ("
    "SELECT FROM credit_note_lines AS credits WHERE credits.line_id = folio_lines.id)"
)
PAYMENT_COLUMNS: Final = (
    "id, folio_id, method, amount_micro, currency, paid_amount_micro, paid_currency, fx,"
    " processor_payment_id, method_token_digest, reference, business_date, cash_session_id,"
    " refunded_paid_micro, refunded_micro, company_account_id, credit_account_id, credits_micro"
)


def folio_row(folio: Folio) -> dict[str, Any]:
    """A folio as it is written."""
    guest = folio.guest
    return {
        "id": folio.id,
        "property_id": folio.property_id,
        "currency": folio.currency,
        "status": folio.status,
        "guest_name": guest.name,
        "guest": {
            "addressLines": guest.address_lines,
            "taxId": guest.tax_id,
            "country": guest.country,
            "exemptions": sorted(guest.exemptions),
        },
        "reservation_id": folio.reservation_id,
        "window_name": folio.window,
        "windows": folio.windows,
        "routing": folio.routing,
        "stay": folio.stay and asdict(folio.stay),
        "fx": [snapshot_document(rate) for rate in folio.rates.snapshots],
        "tax_sums": folio.tax_sums.groups,
        "balance_micro": folio.balance.amount_micro,
        "last_line": folio.last_line,
        "business_date": folio.business_date,
        "opened_at": folio.opened_at,
        "closed_at": folio.closed_at,
        "version": folio.version,
        "trail": folio.trail,
        "state_digest": folio.state_digest,
        "pending_refunds": folio.pending_refunds,
        "reopened": folio.reopened,
        "billed_to": folio.billed_to,
        "deposits_micro": folio.deposits_micro,
    }


def folio_of(row: Row) -> Folio:
    """A folio as it was read: tenant, then FOLIO_COLUMNS."""
    currency = Currency(row[3])
    guest, stay = row[6], row[11]
    return Folio(
        id=FolioId(row[1]),
        property_id=PropertyId(row[2]),
        currency=currency,
        status=FolioStatus(row[4]),
        guest=Guest(
            name=row[5],
            address_lines=tuple(guest["addressLines"]),
            tax_id=guest["taxId"],
            country=guest.get("country"),
            exemptions=frozenset(guest["exemptions"]),
        ),
        reservation_id=row[7],
        window=row[8],
        windows=tuple(row[9]),
        routing=row[10],
        stay=stay
        and Stay(
            arrival=date.fromisoformat(stay["arrival"]),
            departure=date.fromisoformat(stay["departure"]),
        ),
        rates=FxRates(tuple(snapshot_of(document) for document in row[12])),
        tax_sums=TaxSums(row[13]),
        balance=Money(row[14], currency),
        last_line=row[15],
        business_date=row[16],
        opened_at=row[17],
        closed_at=row[18],
        version=row[19],
        trail=bytes(row[20]),
        state_digest=bytes(row[21]),
        pending_refunds=row[22],
        reopened=row[23],
        billed_to=row[24],
        deposits_micro=row[25],
        is_new=False,
    )


def line_row(folio_id: FolioId, line: Line, actor: str, now: datetime) -> dict[str, Any]:
    """A line as it is written, once."""
    return {
        "folio_id": folio_id,
        "sequence": line.sequence,
        "id": line.id,
        "type": line.type,
        "kind": line.kind,
        "description": line.description,
        "window_name": line.window,
        "quantity": line.quantity,
        "unit_amount_micro": line.unit_amount and line.unit_amount.amount_micro,
        "amount_micro": line.amount.amount_micro,
        "currency": line.amount.currency,
        "business_date": line.business_date,
        "service_date": line.service_date,
        "source": line.source,
        "external_reference": line.external_reference,
        "corrects": line.corrects,
        "charge_id": line.charge_id,
        "reason": line.reason,
        "tax": line.tax and _tax_document(line.tax),
        "untaxed": line.untaxed,
        "settings_version": line.settings_version,
        "occupancy": line.occupancy and asdict(line.occupancy),
        "moved_from": line.moved_from,
        "actor": actor,
        "occurred_at": now,
        "recorded_at": now,
    }


def line_of(row: Row) -> Line:
    """A line as it was read: tenant, then LINE_AS_READ."""
    currency = Currency(row[10])
    return Line(
        sequence=row[1],
        id=LineId(row[2]),
        type=LineType(row[3]),
        kind=row[4],
        description=row[5],
        window=row[6],
        quantity=row[7],
        unit_amount=None if row[8] is None else Money(row[8], currency),
        amount=Money(row[9], currency),
        business_date=row[11],
        service_date=row[12],
        source=row[13],
        external_reference=row[14],
        corrects=row[15] and LineId(row[15]),
        charge_id=row[16] and ChargeId(row[16]),
        reason=row[17],
        tax=row[18] and _tax_of(row[18], currency),
        untaxed=row[19],
        settings_version=row[20],
        occupancy=row[21] and Occupancy(**{**row[21], "ages": tuple(row[21]["ages"])}),
        moved_from=row[22] and LineId(row[22]),
        credited=row[23],
    )


def payment_row(payment: Payment, now: datetime) -> dict[str, Any]:
    """A payment as it is written."""
    return {
        "id": payment.id,
        "folio_id": payment.folio_id,
        "method": payment.method,
        "amount_micro": payment.amount.amount_micro,
        "currency": payment.amount.currency,
        "paid_amount_micro": payment.paid.amount_micro,
        "paid_currency": payment.paid.currency,
        "fx": payment.fx and snapshot_document(payment.fx),
        "processor_payment_id": payment.processor_payment_id,
        "method_token_digest": payment.method_token_digest,
        "reference": payment.reference,
        "cash_session_id": payment.cash_session_id,
        "company_account_id": payment.company_account_id,
        "credit_account_id": payment.credit_account_id,
        "credits_micro": payment.credits_micro,
        "refunded_paid_micro": payment.refunded_paid_micro,
        "refunded_micro": payment.refunded_micro,
        "business_date": payment.business_date,
        "occurred_at": now,
        "recorded_at": now,
    }


def payment_of(row: Row) -> Payment:
    """A payment as it was read: tenant, then PAYMENT_COLUMNS."""
    return Payment(
        id=PaymentId(row[1]),
        folio_id=FolioId(row[2]),
        method=PaymentMethod(row[3]),
        amount=Money(row[4], Currency(row[5])),
        paid=Money(row[6], Currency(row[7])),
        fx=row[8] and snapshot_of(row[8]),
        processor_payment_id=row[9],
        method_token_digest=row[10],
        reference=row[11],
        business_date=row[12],
        cash_session_id=row[13] and CashSessionId(row[13]),
        refunded_paid_micro=row[14],
        refunded_micro=row[15],
        company_account_id=row[16] and CompanyAccountId(row[16]),
        credit_account_id=row[17] and CreditAccountId(row[17]),
        credits_micro=row[18],
    )


def reopening_row(reopening: Reopening) -> dict[str, Any]:
    """That a folio was opened again, as it is written."""
    confirmed = reopening.confirmed
    return {
        "folio_id": reopening.folio_id,
        "number": reopening.number,
        "billed_to": reopening.billed_to,
        "reopened_by": confirmed.by,
        "reopened_at": confirmed.at,
        "step_up_token_id": confirmed.token_id,
        "assertion_hash": confirmed.assertion_hash,
        "step_up_method": confirmed.method,
    }


def settlement_row(settlement: Settlement) -> dict[str, Any]:
    """A settlement as it is written, once."""
    return {
        "id": settlement.id,
        "folio_id": settlement.folio_id,
        "charges_micro": settlement.charges.amount_micro,
        "payments_micro": settlement.payments.amount_micro,
        "residual_micro": settlement.residual.amount_micro,
        "currency": settlement.residual.currency,
        "fx": [
            {
                "pinned": snapshot_document(shown.pinned),
                "today": shown.today and snapshot_document(shown.today),
                "differenceMicro": shown.difference and shown.difference.amount_micro,
            }
            for shown in settlement.fx
        ],
        "settled_at": settlement.settled_at,
    }


def snapshot_document(snapshot: FxSnapshot) -> dict[str, str]:
    """A rate of exchange inside a row."""
    return {
        "base": snapshot.base,
        "quote": snapshot.quote,
        "rate": snapshot.rate,
        "source": snapshot.source,
        "takenAt": snapshot.taken_at.isoformat(),
    }


def snapshot_of(document: dict[str, str]) -> FxSnapshot:
    """A rate of exchange out of a row."""
    return FxSnapshot(
        Currency(document["base"]),
        Currency(document["quote"]),
        document["rate"],
        document["source"],
        datetime.fromisoformat(document["takenAt"]),
    )


def _tax_document(tax: TaxAmount) -> dict[str, Any]:
    return {
        "code": tax.rule_code,
        "name": tax.name,
        "ratePpm": tax.rate_ppm,
        "baseMicro": tax.base.amount_micro,
        "amountMicro": tax.amount.amount_micro,
        "exactMicro": tax.exact.amount_micro,
        "inclusive": tax.inclusive,
        "category": tax.category,
        "order": tax.order,
        "levy": tax.levy,
    }


def _tax_of(document: dict[str, Any], currency: Currency) -> TaxAmount:
    return TaxAmount(
        rule_code=document["code"],
        name=document["name"],
        rate_ppm=document["ratePpm"],
        base=Money(document["baseMicro"], currency),
        amount=Money(document["amountMicro"], currency),
        exact=Money(document["exactMicro"], currency),
        inclusive=document["inclusive"],
        category=document["category"],
        order=document["order"],
        levy=document.get("levy", False),
    )
