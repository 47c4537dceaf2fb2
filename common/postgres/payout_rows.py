"""Payouts and the account that they go to as rows: each mapping in both directions."""

import json
from datetime import datetime
from typing import Any, Final

from common.domain.cash import Confirmed
from common.domain.fx import FxSnapshot
from common.domain.identifiers import PayoutAccountId, PayoutId, PropertyId
from common.domain.money import Currency, Money
from common.domain.payout import USD, Payout, PayoutStatus
from common.domain.payout_account import PayoutAccount
from common.postgres.connection import Row

ACCOUNT_CHANGING: Final = (
    "processor_account_id, is_enabled, told_at, connected_by, connected_at, version, trail,"
    " state_digest"
)
ACCOUNT_COLUMNS: Final = f"id, {ACCOUNT_CHANGING}"
CHANGING: Final = (
    "status, decided_by, decided_at, step_up_token_id, assertion_hash, step_up_method, reason,"
    " paid_at, failure_code, version, trail, state_digest"
)
COLUMNS: Final = (
    "id, property_id, amount_micro, currency, processor_account_id, usd_micro, fx, needs_approval,"
    f" requested_by, requested_at, business_date, {CHANGING}"
)


def account_row(account: PayoutAccount) -> dict[str, Any]:
    """The account as it is written."""
    return {
        "id": account.id,
        "processor_account_id": account.processor_account_id,
        "is_enabled": account.is_enabled,
        "told_at": account.told_at,
        "connected_by": account.connected_by,
        "connected_at": account.connected_at,
        "version": account.version,
        "trail": account.trail,
        "state_digest": account.state_digest,
    }


def account_of(row: Row) -> PayoutAccount:
    """The account as it was read: tenant, then ACCOUNT_COLUMNS."""
    return PayoutAccount(
        id=PayoutAccountId(row[1]),
        processor_account_id=row[2],
        is_enabled=row[3],
        told_at=row[4],
        connected_by=row[5],
        connected_at=row[6],
        version=row[7],
        trail=bytes(row[8]),
        state_digest=bytes(row[9]),
        is_new=False,
    )


def payout_row(payout: Payout) -> dict[str, Any]:
    """A payout as it is written."""
    decided = payout.decided
    return {
        "id": payout.id,
        "property_id": payout.property_id,
        "amount_micro": payout.amount.amount_micro,
        "currency": payout.amount.currency,
        "processor_account_id": payout.processor_account_id,
        "usd_micro": payout.usd.amount_micro if payout.usd else None,
        "fx": _fx_document(payout.fx),
        "needs_approval": payout.needs_approval,
        "requested_by": payout.requested_by,
        "requested_at": payout.requested_at,
        "business_date": payout.business_date,
        "status": payout.status,
        "decided_by": decided and decided.by,
        "decided_at": decided and decided.at,
        "step_up_token_id": decided and decided.token_id,
        "assertion_hash": decided and decided.assertion_hash,
        "step_up_method": decided and decided.method,
        "reason": payout.reason,
        "paid_at": payout.paid_at,
        "failure_code": payout.failure_code,
        "version": payout.version,
        "trail": payout.trail,
        "state_digest": payout.state_digest,
    }


def payout_of(row: Row) -> Payout:
    """A payout as it was read: tenant, then COLUMNS."""
    return Payout(
        id=PayoutId(row[1]),
        property_id=PropertyId(row[2]),
        amount=Money(row[3], Currency(row[4])),
        processor_account_id=row[5],
        usd=None if row[6] is None else Money(row[6], USD),
        fx=_fx_of(row[7]),
        needs_approval=row[8],
        requested_by=row[9],
        requested_at=row[10],
        business_date=row[11],
        status=PayoutStatus(row[12]),
        decided=row[13]
        and Confirmed(
            by=row[13], at=row[14], token_id=row[15], assertion_hash=row[16], method=row[17]
        ),
        reason=row[18],
        paid_at=row[19],
        failure_code=row[20],
        version=row[21],
        trail=bytes(row[22]),
        state_digest=bytes(row[23]),
        is_new=False,
    )


def _fx_document(fx: FxSnapshot | None) -> dict[str, str] | None:
    if fx is None:
        return None
    return {
        "base": str(fx.base),
        "quote": str(fx.quote),
        "rate": fx.rate,
        "source": fx.source,
        "takenAt": fx.taken_at.isoformat(),
    }


def _fx_of(document: Any) -> FxSnapshot | None:
    if document is None:
        return None
    told = json.loads(document) if isinstance(document, str) else document
    return FxSnapshot(
        base=Currency(told["base"]),
        quote=Currency(told["quote"]),
        rate=told["rate"],
        source=told["source"],
        taken_at=datetime.fromisoformat(told["takenAt"]),
    )
