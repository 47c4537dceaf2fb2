"""Versions of plans. They are the platform's, and every tenant reads them: the first column of each
row is the tenant that asks, and not whose the row is.
"""

from collections.abc import Sequence
from typing import Any, Final

from common.domain.identifiers import PlanVersionId
from common.domain.money import Currency, Money
from common.domain.plan import PlanFees, PlanLimits, PlanUnknown, PlanVersion
from common.domain.usage_price import UsagePrice
from common.postgres import ranks
from common.postgres.connection import Row
from common.postgres.reading_ahead import STANDING
from common.postgres.session import Insert
from common.postgres.stores import Desk

COLUMNS: Final = (
    "id, plan, number, name, currency, month_micro, year_micro, seat_month_micro, seat_year_micro,"
    " credits_micro, projects, users, ai_requests, storage_mb, support, sla, published_at,"
    " usage_prices, trial_days"
)
NEWEST: Final = f"""
SELECT DISTINCT ON (plan) billing_central.current_tenant(), {COLUMNS}
FROM billing_central.plan_versions
ORDER BY plan, number DESC
"""
ON: Final = f"(SELECT version_id FROM billing_central.subscriptions WHERE id = {STANDING})"
"""The version that the tenant's subscription is on."""
GET: Final = f"""
SELECT billing_central.current_tenant(), {COLUMNS}
FROM billing_central.plan_versions
WHERE plan = coalesce($1, (SELECT plan FROM billing_central.plan_versions WHERE id = {ON}))
  AND ($2::integer IS NULL OR number = $2)
ORDER BY number DESC
LIMIT 1
"""
BY_ID: Final = f"""
SELECT billing_central.current_tenant(), {COLUMNS}
FROM billing_central.plan_versions
WHERE id = coalesce($1, {ON})
"""
INSERT_VERSION = Insert.into(ranks.PLACES, "billing_central.plan_versions", COLUMNS)


class Plans:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def newest(self) -> Sequence[PlanVersion]:
        return [version_of(row[1:]) for row in self._desk.rows(NEWEST)]

    def find(self, plan: str) -> PlanVersion | None:
        rows = self._desk.rows(GET, plan, None)
        return version_of(rows[0][1:]) if rows else None

    def foresee(self, plan: str | None, number: int | None = None) -> None:
        if plan is None and number is None:
            self._desk.foresee(BY_ID, None, names=lambda it: (it.terms.version_id,))
        else:
            self._desk.foresee(GET, plan, number, names=lambda it: (it.terms.plan, number))

    def get(self, plan: str, number: int | None = None) -> PlanVersion:
        return _known(self._desk.rows(GET, plan, number))

    def get_by_id(self, version_id: PlanVersionId) -> PlanVersion:
        return _known(self._desk.rows(BY_ID, version_id))

    def keep(self, version: PlanVersion) -> None:
        self._desk.keep(version, lambda: self._desk.insert(INSERT_VERSION, [_row(version)]))


def _known(rows: Sequence[Row]) -> PlanVersion:
    if not rows:
        raise PlanUnknown()
    return version_of(rows[0][1:])


def version_of(row: Row) -> PlanVersion:
    """A version from its columns."""
    currency = Currency(row[4])
    month, year, seat_month, seat_year = (
        None if micro is None else Money(micro, currency) for micro in row[5:9]
    )
    return PlanVersion(
        id=PlanVersionId(row[0]),
        plan=row[1],
        number=row[2],
        name=row[3],
        currency=currency,
        fees=PlanFees(month=month, year=year, seat_month=seat_month, seat_year=seat_year),
        credits_micro=row[9],
        limits=PlanLimits(projects=row[10], users=row[11], ai_requests=row[12], storage_mb=row[13]),
        support=row[14],
        sla=row[15],
        published_at=row[16],
        usage_prices=tuple(UsagePrice.of(each) for each in row[17]),
        trial_days=row[18],
        is_new=False,
    )


def _row(version: PlanVersion) -> dict[str, Any]:
    fees, limits = version.fees, version.limits
    return {
        "id": version.id,
        "plan": version.plan,
        "number": version.number,
        "name": version.name,
        "currency": version.currency,
        "month_micro": fees.month and fees.month.amount_micro,
        "year_micro": fees.year and fees.year.amount_micro,
        "seat_month_micro": fees.seat_month and fees.seat_month.amount_micro,
        "seat_year_micro": fees.seat_year and fees.seat_year.amount_micro,
        "credits_micro": version.credits_micro,
        "projects": limits.projects,
        "users": limits.users,
        "ai_requests": limits.ai_requests,
        "storage_mb": limits.storage_mb,
        "support": version.support,
        "sla": version.sla,
        "published_at": version.published_at,
        "usage_prices": [price.document() for price in version.usage_prices],
        "trial_days": version.trial_days,
    }
