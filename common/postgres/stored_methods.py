"""Payment methods with their sealed tokens, and the data keys that seal them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from common.domain.identifiers import CustomerId, DataKeyId, StoredMethodId
from common.domain.stored_method import (
    MethodDetails,
    MethodKind,
    PaymentMethodUnknown,
    Purpose,
    SealedToken,
    StoredMethod,
)
from common.ports.paging import Page
from common.ports.vault import DataKey, Wrapped
from common.postgres import ranks
from common.postgres.connection import Row, Statement
from common.postgres.paging import key_of, next_cursor
from common.postgres.session import Insert, Write
from common.postgres.stores import Desk

WRAPPED_FOR: Final = timedelta(days=1)
"""So long a data key is left as it was wrapped, before it is looked at again."""

COLUMNS: Final = (
    "id, customer_id, kind, brand, last_four, expiry_month, expiry_year, fingerprint, data_key_id,"
    " sealed_token, token_digest, purpose, consented_at, kept_at, told_at, authenticated_at,"
    " removed_at, version, trail, state_digest"
)
GET: Final = f"SELECT tenant_id, {COLUMNS} FROM payment_methods WHERE id = $1"
TAKE: Final = f"{GET} FOR NO KEY UPDATE"
FIND_BY_TOKEN: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM payment_methods
WHERE token_digest = $1
FOR NO KEY UPDATE
"""
PAGE: Final = f"""
SELECT tenant_id, {COLUMNS}
FROM payment_methods
WHERE customer_id = $1 AND id > $2 AND removed_at IS NULL
ORDER BY id
LIMIT $3
"""
CHANGE: Final = """
UPDATE payment_methods
SET brand = $2, last_four = $3, expiry_month = $4, expiry_year = $5, fingerprint = $6,
    sealed_token = $7, told_at = $8, authenticated_at = $9, removed_at = $10, version = $11,
    trail = $12, state_digest = $13
WHERE id = $1
"""
NEWEST_KEY: Final = """
SELECT tenant_id, id, key_version, wrapped
FROM data_keys
ORDER BY id DESC
LIMIT 1
"""
KEY: Final = "SELECT tenant_id, id, key_version, wrapped FROM data_keys WHERE id = $1"
KEYS_DUE: Final = """
SELECT tenant_id, id
FROM data_keys
WHERE wrapped_at <= $1
ORDER BY wrapped_at
LIMIT $2
"""
REWRAP: Final = """
UPDATE data_keys
SET key_version = $2, wrapped = $3, wrapped_at = $4
WHERE id = $1
"""
INSERT_METHOD = Insert.into(ranks.AGGREGATES, "payment_methods", COLUMNS)
INSERT_KEY = Insert.into(ranks.PLACES, "data_keys", "id, key_version, wrapped, made_at, wrapped_at")


class StoredMethods:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def foresee(self, method_id: StoredMethodId) -> None:
        self._desk.foresee(GET, method_id)

    def get(self, method_id: StoredMethodId) -> StoredMethod:
        return self.known(self._desk.rows(GET, method_id))

    def take(self, method_id: StoredMethodId) -> StoredMethod:
        return self.known(self._desk.rows(TAKE, method_id))

    def find_by_token(self, digest: bytes) -> StoredMethod | None:
        rows = self._desk.rows(FIND_BY_TOKEN, digest)
        return self.known(rows) if rows else None

    def page(self, customer_id: CustomerId, limit: int, cursor: str | None) -> Page[StoredMethod]:
        rows = self._desk.rows(PAGE, customer_id, key_of(cursor), limit + 1)
        methods = tuple(method_of(row) for row in rows[:limit])
        return Page(methods, next_cursor([row[1] for row in rows], limit))

    def keep(self, method: StoredMethod) -> None:
        self._desk.keep(method, lambda: self._write(method))

    def known(self, rows: Sequence[Row]) -> StoredMethod:
        """The method that was read. Refuses: PaymentMethodUnknown."""
        if not rows:
            raise PaymentMethodUnknown()
        return self._desk.loaded(method_of(rows[0]))

    def _write(self, method: StoredMethod) -> None:
        row = _row(method)
        if method.is_new:
            method.is_new = False
            self._desk.insert(INSERT_METHOD, [row])
            return
        changing = (
            "id brand last_four expiry_month expiry_year fingerprint sealed_token told_at"
            " authenticated_at removed_at version trail state_digest"
        )
        values = tuple(row[column] for column in changing.split())
        change = Write(ranks.AGGREGATE_CHANGES, Statement(CHANGE, values))
        self._desk.write((method.kind, method.id), change)


class DataKeys:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def newest(self) -> DataKey | None:
        rows = self._desk.rows(NEWEST_KEY)
        return _key_of(rows[0]) if rows else None

    def get(self, key_id: DataKeyId) -> DataKey:
        return _key_of(self._desk.rows(KEY, key_id)[0])

    def due(self, limit: int) -> Sequence[DataKeyId]:
        before = self._desk.now - WRAPPED_FOR
        return [DataKeyId(row[1]) for row in self._desk.rows(KEYS_DUE, before, limit)]

    def keep_new(self, key: DataKey) -> None:
        row = {
            "id": key.id,
            "key_version": key.wrapped.key_version,
            "wrapped": key.wrapped.content,
            "made_at": self._desk.now,
            "wrapped_at": self._desk.now,
        }
        self._desk.insert(INSERT_KEY, [row])

    def keep_rewrapped(self, key: DataKey) -> None:
        values = (key.id, key.wrapped.key_version, key.wrapped.content, self._desk.now)
        self._desk.write(
            ("data_key", key.id), Write(ranks.AGGREGATE_CHANGES, Statement(REWRAP, values))
        )


def _row(method: StoredMethod) -> dict[str, Any]:
    details, sealed = method.details, method.sealed
    return {
        "id": method.id,
        "customer_id": method.customer_id,
        "kind": details.kind,
        "brand": details.brand,
        "last_four": details.last_four,
        "expiry_month": details.expiry_month,
        "expiry_year": details.expiry_year,
        "fingerprint": details.fingerprint,
        "data_key_id": sealed.data_key_id,
        "sealed_token": None if method.is_removed else sealed.content,
        "token_digest": sealed.digest,
        "purpose": method.purpose,
        "consented_at": method.consented_at,
        "kept_at": method.kept_at,
        "told_at": method.told_at,
        "authenticated_at": method.authenticated_at,
        "removed_at": method.removed_at,
        "version": method.version,
        "trail": method.trail,
        "state_digest": method.state_digest,
    }


def method_of(row: Row) -> StoredMethod:
    return StoredMethod(
        id=StoredMethodId(row[1]),
        customer_id=CustomerId(row[2]),
        details=MethodDetails(
            kind=MethodKind(row[3]),
            brand=row[4],
            last_four=row[5],
            expiry_month=row[6],
            expiry_year=row[7],
            fingerprint=row[8],
        ),
        sealed=SealedToken(
            data_key_id=DataKeyId(row[9]), content=bytes(row[10] or b""), digest=bytes(row[11])
        ),
        purpose=Purpose(row[12]),
        consented_at=row[13],
        kept_at=row[14],
        told_at=row[15],
        authenticated_at=row[16],
        removed_at=row[17],
        version=row[18],
        trail=bytes(row[19]),
        state_digest=bytes(row[20]),
        is_new=False,
    )


def _key_of(row: Row) -> DataKey:
    return DataKey(DataKeyId(row[1]), Wrapped(row[2], bytes(row[3])))
