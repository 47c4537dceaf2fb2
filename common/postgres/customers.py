"""Customers, and those of whom the processor does not know all."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from common.domain.customer import Customer, CustomerUnknown
from common.domain.identifiers import CustomerId
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk

if TYPE_CHECKING:  # only an export loads what it reads
    from common.domain.customer_export import Asked, Disclosures, Exported, Piece

FIRST_ATTEMPT_WITHIN: Final = timedelta(minutes=1)
"""So long whoever wrote a customer down has for telling the processor, before a job does."""

COLUMNS: Final = (
    "id, email, name, phone, processor_customer_id, details_version, told_version, refused_code,"
    " created_at, changed_at, version, trail, state_digest"
)
GET: Final = f"SELECT tenant_id, {COLUMNS} FROM customers WHERE id = $1"
TAKE: Final = f"{GET} FOR NO KEY UPDATE"
FIND_BY_EMAIL: Final = f"SELECT tenant_id, {COLUMNS} FROM customers WHERE email = $1"
DUE: Final = """
SELECT tenant_id, id
FROM customers
WHERE told_version < details_version AND next_attempt_at <= $1
ORDER BY next_attempt_at
LIMIT $2
"""
CHANGE: Final = """
UPDATE customers
SET email = $2, name = $3, phone = $4, processor_customer_id = $5, details_version = $6,
    told_version = $7, refused_code = $8, changed_at = $9, version = $10, trail = $11,
    state_digest = $12, attempts = 0, next_attempt_at = $13
WHERE id = $1
"""
POSTPONE: Final = """
UPDATE customers
SET attempts = attempts + 1,
    next_attempt_at = $2::timestamptz + power(2, least(attempts, 6)) * interval '1 minute'
WHERE id = $1
"""
INSERT_CUSTOMER = Insert.into(ranks.PLACES, "customers", f"{COLUMNS}, attempts, next_attempt_at")
LIST_CUSTOMER = Insert.into(
    ranks.OUTBOX, "billing_central.processor_customers", "processor_customer_id, recorded_at"
)


class Customers:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def get(self, customer_id: CustomerId) -> Customer:
        return self.known(self._desk.rows(GET, customer_id))

    def take(self, customer_id: CustomerId) -> Customer:
        return self.known(self._desk.rows(TAKE, customer_id))

    def find_by_email(self, email: str) -> Customer | None:
        rows = self._desk.rows(FIND_BY_EMAIL, email)
        return self.known(rows) if rows else None

    def due(self, limit: int) -> Sequence[CustomerId]:
        return [CustomerId(row[1]) for row in self._desk.rows(DUE, self._desk.now, limit)]

    def keep(self, customer: Customer) -> None:
        self._desk.keep(customer, lambda: self._write(customer))

    def postpone(self, customer_id: CustomerId) -> None:
        later = Statement(POSTPONE, (customer_id, self._desk.now))
        self._desk.write(("customer told", customer_id), Write(ranks.AGGREGATE_CHANGES, later))

    def to_export(self, customer_id: CustomerId, limit: int) -> "Asked":
        from common.postgres import customer_exports

        return customer_exports.asked(self._desk, customer_id, limit)

    def read_export(self, piece: "Piece") -> "Exported":
        from common.postgres import customer_exports

        return customer_exports.read(self._desk, piece)

    def take_disclosures(self, customer_id: CustomerId) -> "Disclosures":
        from common.postgres import customer_exports

        return customer_exports.disclosures(self._desk, customer_id)

    def known(self, rows: Sequence[Row]) -> Customer:
        """The customer that was read. Refuses: CustomerUnknown."""
        if not rows:
            raise CustomerUnknown()
        return self._desk.loaded(_customer_of(rows[0]))

    def _write(self, customer: Customer) -> None:
        due_at = self._desk.now + FIRST_ATTEMPT_WITHIN
        row = {**_row(customer), "attempts": 0, "next_attempt_at": due_at}
        if customer.is_new:
            customer.is_new = False
            self._desk.insert(INSERT_CUSTOMER, [row])
            return
        changing = (
            "id email name phone processor_customer_id details_version told_version refused_code"
            " changed_at version trail state_digest next_attempt_at"
        )
        values = tuple(row[column] for column in changing.split())
        change = Write(ranks.AGGREGATE_CHANGES, Statement(CHANGE, values))
        self._desk.write((customer.kind, customer.id), change)
        if customer.is_freshly_linked:
            customer.is_freshly_linked = False
            listed = {"processor_customer_id": row["processor_customer_id"]}
            self._desk.insert(LIST_CUSTOMER, [{**listed, "recorded_at": self._desk.now}])


def _row(customer: Customer) -> dict[str, Any]:
    return {
        "id": customer.id,
        "email": customer.email,
        "name": customer.name,
        "phone": customer.phone,
        "processor_customer_id": customer.processor_customer_id,
        "details_version": customer.details_version,
        "told_version": customer.told_version,
        "refused_code": customer.refused_code,
        "created_at": customer.created_at,
        "changed_at": customer.changed_at,
        "version": customer.version,
        "trail": customer.trail,
        "state_digest": customer.state_digest,
    }


def _customer_of(row: Row) -> Customer:
    return Customer(
        id=CustomerId(row[1]),
        email=row[2],
        name=row[3],
        phone=row[4],
        processor_customer_id=row[5],
        details_version=row[6],
        told_version=row[7],
        refused_code=row[8],
        created_at=row[9],
        changed_at=row[10],
        version=row[11],
        trail=bytes(row[12]),
        state_digest=bytes(row[13]),
        is_new=False,
    )
