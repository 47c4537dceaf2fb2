"""Granting credits, once for each thing that they can be granted for (CRD-3).

Every grant says by a key what it is for: a payment, a period of a subscription, a trial, or a grant
that somebody made. The key is unique for the tenant, so that webhook, retry, cycle and
reconciliation grant once between them, however they run.

What a purchase brings pays the account's debt first. What was paid for is granted whatever the
limits say: they were asked before money moved (CRD-6). A gift beyond them is refused.

What a person confirms of a grant is the SHA-256 of a canonical document (RFC 8785): `deed` is
`credits.grant`, then `tenant`, `account`, `grant`, `source`, `sourceKey` and `creditsMicro`.
"""

import re
from datetime import datetime
from typing import Final
from uuid import UUID

from common.domain.canonical import digest
from common.domain.dataclass import dataclass
from common.domain.identifiers import CreditLotId, SubscriptionId
from common.domain.moment import Moment
from common.domain.prepaid_account import (
    CreditAccount,
    CreditEntry,
    CreditsMoved,
    EntryKind,
)
from common.domain.prepaid_lot import CreditLot, CreditSource, LotShare
from common.domain.refusal import Conflict, Unmet

GRANTING: Final = "credits.grant"
PAID_FOR: Final = frozenset({CreditSource.PURCHASE, CreditSource.RENEWAL})
_KEYS: Final = {
    CreditSource.PURCHASE: re.compile(r"purchase:[^:]+"),
    CreditSource.RENEWAL: re.compile(r"renewal:[^:]+:.+"),
    CreditSource.PROMOTION: re.compile(r"(grant|trial):[^:]+"),
    CreditSource.REFUND: re.compile(r"(grant|restored):[^:]+"),
}


class CreditsGrantedAlready(Conflict):
    code = "CREDITS_GRANTED_ALREADY"
    title = "Credits have been granted for this already"


class GrantKeyInvalid(Unmet):
    code = "CREDIT_GRANT_KEY_INVALID"
    title = "The key does not say what credits of this source are granted for"


class GrantExpired(Unmet):
    code = "CREDIT_GRANT_EXPIRED"
    title = "The credits would expire before they could be spent"


def renewal_key(subscription_id: SubscriptionId, period_start: datetime) -> str:
    """What the credits of a subscription's period are granted for, once (SUB-11, CRD-3)."""
    return f"renewal:{subscription_id}:{period_start.isoformat()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditGrant:
    """What is to be granted, and for what. Refuses: GrantKeyInvalid."""

    id: CreditLotId
    source: CreditSource
    source_key: str
    credits_micro: int
    reason: str
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        if not _KEYS[self.source].fullmatch(self.source_key):
            raise GrantKeyInvalid(source=self.source.value)


@dataclass(frozen=True, kw_only=True)
class CreditsGranted(CreditsMoved):
    """Credits were granted; what they paid of a debt is in the entries."""

    name = "credits.granted"
    lot: CreditLot

    @property
    def brought(self) -> CreditEntry:
        """The movement that brought the credits."""
        return next(entry for entry in self.entries if entry.kind is EntryKind.GRANT)

    @property
    def debt_paid_micro(self) -> int:
        """What of them went to the account's debt."""
        return -sum(e.amount_micro for e in self.entries if e.kind is EntryKind.DEBT_PAID)


def grant_sha256(tenant_id: UUID, account: str, grant: CreditGrant) -> bytes:
    """What is confirmed by whoever grants: these credits, to this account, for this."""
    return digest(
        {
            "deed": GRANTING,
            "tenant": str(tenant_id),
            "account": account,
            "grant": grant.id,
            "source": grant.source.value,
            "sourceKey": grant.source_key,
            "creditsMicro": grant.credits_micro,
        }
    )


def grant(account: CreditAccount, wanted: CreditGrant, moment: Moment) -> CreditsGranted:
    """Grant credits; those of a purchase pay the account's debt.

    Refuses: GrantExpired, CreditBalanceLimit, CreditsOutOfRange.
    """
    if wanted.expires_at is not None and wanted.expires_at <= moment.now:
        raise GrantExpired()
    if wanted.source not in PAID_FOR:
        account.must_have_room(wanted.credits_micro, moment.settings.credits.maximum_balance_micro)
    account.end_holds(moment)
    lot = CreditLot(
        id=wanted.id,
        account_id=account.id,
        root_id=wanted.id,
        source=wanted.source,
        source_key=wanted.source_key,
        granted_micro=wanted.credits_micro,
        granted_at=moment.now,
        expires_at=wanted.expires_at,
    )
    account.opens(lot)
    brought = LotShare(lot_id=lot.id, amount_micro=wanted.credits_micro)
    account.move(EntryKind.GRANT, (brought,), moment, reason=wanted.reason)
    owed = min(account.debt_micro, wanted.credits_micro)
    if owed and wanted.source is CreditSource.PURCHASE:
        paid = LotShare(lot_id=lot.id, amount_micro=-owed)
        account.move(EntryKind.DEBT_PAID, (paid,), moment, debt_micro=-owed)
    granted: CreditsGranted = account.told(
        CreditsGranted, lot=account.lot(lot.id), reason=wanted.reason
    )
    return granted
