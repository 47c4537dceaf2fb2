"""What the functions that read are asked in their query, with every field; see `calls`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.security.calls import Calls


def _folio_filter(calls: Calls) -> dict[str, str]:
    return {
        "propertyId": str(calls.hotel.property_id),
        "status": "open",
        "reservationId": "RES-1",
        "businessDate": "2026-03-01",
        "limit": "50",
        "cursor": "IiI",
    }


def _invoice_filter(calls: Calls) -> dict[str, str]:
    return {
        "propertyId": str(calls.hotel.property_id),
        "folioId": calls.folio,
        "number": "INV-1",
        "businessDate": "2026-03-01",
        "limit": "50",
        "cursor": "IiI",
    }


def _period(calls: Calls) -> dict[str, str]:
    days = {"first": "2020-01-01", "last": "2099-12-31"}
    return {"propertyId": str(calls.hotel.property_id), "format": "csv", **days}


def _odd(calls: Calls) -> dict[str, str]:
    page = {"limit": "50", "cursor": "IiI"}
    asked = {"pattern": "variance_trend", "reviewed": "false"}
    return {"propertyId": str(calls.hotel.property_id), **asked, **page}


def _day(calls: Calls) -> dict[str, str]:
    page = {"limit": "50", "cursor": "IiI"}
    return {"propertyId": str(calls.hotel.property_id), "businessDate": "2026-03-01", **page}


def _cash_day(calls: Calls) -> dict[str, str]:
    return {"propertyId": str(calls.hotel.property_id), "businessDate": "2026-03-01"}


def _credited(calls: Calls) -> dict[str, str]:
    return {"tenant": str(calls.hotel.tenant_id), "hash": calls.left.credited_sha256}


def _document(calls: Calls) -> dict[str, str]:
    return {"tenant": str(calls.hotel.tenant_id), "hash": calls.left.payload_sha256}


def _figures(calls: Calls) -> dict[str, str]:
    return {"first": "2020-01-01", "last": "2026-01-01"}


QUERIES: dict[str, Callable[[Calls], dict[str, str]]] = {
    "list_folios": _folio_filter,
    "list_invoices": _invoice_filter,
    "export_invoices": _period,
    "show_revenue": _figures,
    "show_subscription_figures": _figures,
    "show_credit_figures": _figures,
    "list_behind_figure": lambda calls: {**_figures(calls), "limit": "50", "cursor": "IiI"},
    "get_invoice_pdf": lambda calls: {"copyNumber": "0"},
    "list_credit_notes": lambda calls: {**_invoice_filter(calls), "invoiceId": calls.left.invoice},
    "list_night_audits": _day,
    "list_signals": _odd,
    "show_cash_report": _cash_day,
    "list_payouts": lambda calls: {
        "propertyId": str(calls.hotel.property_id),
        "status": "awaiting_approval",
        "limit": "50",
        "cursor": "IiI",
    },
    "list_processor_differences": lambda calls: {
        "propertyId": str(calls.hotel.property_id),
        "status": "open",
        "kind": "refund_not_made",
        "owner": "finance",
        "limit": "50",
        "cursor": "IiI",
    },
    "list_webhook_events": lambda calls: {
        "type": "payment_intent.succeeded",
        "outcome": "applied",
        "limit": "50",
        "cursor": "IiI",
    },
    "verify_credit_note": _credited,
    "verify_invoice": _document,
    "verify_invoice_file": lambda calls: {"tenant": str(calls.hotel.tenant_id)},
}
