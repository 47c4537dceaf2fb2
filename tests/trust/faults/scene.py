"""Two hotels in which processes die, wiped between one death and the next, and what is left there.

What is left is compared with what an undisturbed run left: every row of both hotels, their events,
confirmations and dead letters, their files, and what the broker got. Ids, times and hashes differ
from one run to the next and are struck out; that they fit one another the invariants say.
"""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID

import pg8000.native

from common.local.identity import LocalIdentity
from common.ports.publishing import Message
from common.postgres.address import open_session
from common.postgres.schemas import FUNCTION_LOGIN, role_of, schema_of
from common.postgres.settings_cache import SettingsCache
from tests.hotel import ISSUER, Hotel, House
from tests.together import until
from tests.trust.emptying import emptying
from tests.trust.faults.doomed import Doomed, instance
from tests.trust.races.stage import StandingClock

STRUCK_OUT: Final = (
    (re.compile(r"\bsandbox_[a-z]+_[0-7][0-9A-HJKMNP-TV-Z]{25}"), "sandbox_*"),
    (re.compile(r"\b([a-z]{2,4})_[0-7][0-9A-HJKMNP-TV-Z]{25}"), r"\1_*"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "uuid"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(Z|\+00(:00)?)?"), "time"),
    (re.compile(r"\b00-[0-9a-f]{32}-[0-9a-f]{16}-01\b"), "trace"),
    (re.compile(r"(\\\\x)?[0-9a-f]{32,}"), "hash"),
    (re.compile(r"-[0-9a-f]{16}\.pdf"), "-hash.pdf"),
    (re.compile(r"\b[a-p]{32}@"), "somebody@"),
    (re.compile(r"\bMEL-\d{4}-\d{6}"), "number"),
    (re.compile(r'(previousSha256\\*": ?)(null|\\*"hash\\*")'), r"\1*"),
    (re.compile(r'"(\w*token_id|shard|id|fingerprint)": ("[\w-]*"|\d+)'), r'"\1": *'),
    (re.compile(r'(\\*"\w*[tT]okenId\\*": ?\\*")[\w-]+'), r"\1*"),
)
HOME: Final = """
SELECT concat_ws(' ', c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relacl,
  (SELECT string_agg(concat_ws(' ', attname, atttypid::regtype, attnotnull, attacl), ', '
     ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0),
  (SELECT string_agg(pg_get_constraintdef(oid), ', ' ORDER BY conname)
     FROM pg_constraint WHERE conrelid = c.oid),
  (SELECT string_agg(concat_ws(' ', polname, pg_get_expr(polqual, polrelid)), ', ')
     FROM pg_policy WHERE polrelid = c.oid))
FROM pg_class AS c WHERE relnamespace = to_regnamespace(:schema)
"""


@dataclass
class Scene:
    """`hotel` is where things happen; `annex` is a second tenant, for jobs that go through all.

    Both are called at an instance that takes no part. `newcomer` is a tenant that is being made.
    What is asked and done after every death is put together once, and its plan is kept.
    """

    hotel: Hotel
    annex: Hotel
    admin: pg8000.native.Connection
    published: list[Message] = field(default_factory=list)
    newcomer: UUID | None = None
    _all_rows: dict[UUID, pg8000.native.PreparedStatement] = field(default_factory=dict)

    @classmethod
    def build(cls, house: House) -> Self:
        folder = Path(house.wiring.settings.local_folder) / "faults"
        identity = LocalIdentity(folder, issuer=ISSUER, clock=StandingClock().now)
        published: list[Message] = []
        quiet = instance(replace(house, identity=identity, _admin=None), Doomed(), published)
        hotels = [replace(house.new_hotel(), house=quiet) for _ in range(2)]
        admin = open_session(house.server.dsn(database="billing"))
        admin.run("SET session_replication_role = replica")  # rows go in any order
        return cls(*hotels, admin, published)

    @cached_property
    def emptying(self) -> str:
        return emptying(self.hotel.house, self.hotel, self.annex)

    @property
    def tenants(self) -> tuple[UUID, UUID]:
        return self.hotel.tenant_id, self.annex.tenant_id

    def starts(self, doomed: Doomed, login: str = FUNCTION_LOGIN) -> Hotel:
        """The hotel, called at an instance that has just started."""
        return replace(
            self.hotel, house=instance(self.hotel.house, doomed, self.published, login=login)
        )

    def let_it_be_gone(self, doomed: Doomed) -> None:
        """The server has noticed that a connection was torn, and a lease has run out since."""
        torn = list(doomed.torn)
        question = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY (:pids)"
        until(lambda: self.admin.run(question, pids=torn)[0][0] == 0)
        self.admin.run("UPDATE billing_central.outbox_leases SET leased_until = '-infinity'")

    def let_refunds_be_due(self) -> None:
        """The minutes have passed after which a job asks for what was left behind."""
        self.admin.run(f"UPDATE {self.hotel.schema}.refund_queue SET next_attempt_at = '-infinity'")

    def let_payments_be_due(self) -> None:
        """The time has passed after which jobs look at customers, payments and data keys."""
        waits = "next_attempt_at = '-infinity'"
        for change in (
            f"customers SET {waits} WHERE told_version < details_version",
            f"payment_intent_queue SET {waits}",
            f"credit_purchase_queue SET {waits}",
            "credit_top_ups SET next_attempt_at = '2020-01-01' WHERE is_on",
            "data_keys SET wrapped_at = '-infinity'",
        ):
            self.admin.run(f"UPDATE {self.hotel.schema}.{change}")
        self.admin.run(
            "UPDATE billing_central.subscription_payments SET next_attempt_at = '2020-01-01'"
            " WHERE next_attempt_at IS NOT NULL"
        )

    def wipe(self) -> None:
        """Forget everything but the first settings."""
        self.admin.run(self.emptying)
        for hotel in (self.hotel, self.annex):
            self.admin.run(f"DELETE FROM {hotel.schema}.settings_versions WHERE version > 1")
            hotel.house.wiring.transactions._settings = SettingsCache()  # knows the others
            shutil.rmtree(self._folder(hotel), ignore_errors=True)
        others = "UPDATE billing_central.outbox SET published_at = now() WHERE published_at IS NULL"
        self.admin.run(others)
        self.published.clear()
        self._drop_newcomer()

    def left(self) -> list[str]:
        """All that is there, with ids, times and hashes struck out."""
        found = [row[0] for hotel in (self.hotel, self.annex) for row in self._rows(hotel)]
        for hotel in (self.hotel, self.annex):
            folder = self._folder(hotel)
            found += [str(file.relative_to(folder)) for file in folder.rglob("*.pdf")]
        first = {message.event_id: message for message in self.published}.values()
        found += [
            f"published {each.event_type}, {each.attributes['ce-sequence']}" for each in first
        ]
        if self.newcomer is not None:
            found += [row[0] for row in self.admin.run(HOME, schema=schema_of(self.newcomer))]
            known = "SELECT tenants::text FROM billing_central.tenants WHERE tenant_id = :tenant"
            found += [row[0] for row in self.admin.run(known, tenant=self.newcomer)]
        return sorted(struck_out(each) for each in found)

    def out_of_order(self) -> list[str]:
        """Events of an aggregate that came to the broker before those that they follow."""
        came: dict[str, int] = {}
        wrong = []
        for message in {each.event_id: each for each in reversed(self.published)}.values():
            key, sequence = message.ordering_key, int(message.attributes["ce-sequence"])
            if came.get(key, sequence + 1) <= sequence:
                wrong.append(f"event {sequence} of {key} came too early")
            came[key] = sequence
        return wrong

    def close(self) -> None:
        self.wipe()
        self.admin.close()
        self.hotel.house.close()

    def _tables(self, hotel: Hotel) -> list[str]:
        sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = :s"
        return [row[0] for row in self.admin.run(sql, s=hotel.schema)]

    def _rows(self, hotel: Hotel) -> Sequence[Any]:
        if hotel.tenant_id not in self._all_rows:
            self._all_rows[hotel.tenant_id] = self.admin.prepare(self._question(hotel))
        return self._all_rows[hotel.tenant_id].run() or []

    def _question(self, hotel: Hotel) -> str:
        each = [
            f"SELECT '{table} ' || to_jsonb(t)::text FROM {hotel.schema}.{table} AS t"
            for table in self._tables(hotel)
        ]
        for table in ("outbox", "step_up_uses"):
            each.append(
                f"SELECT '{table} ' || to_jsonb(t)::text FROM billing_central.{table} AS t"
                f" WHERE tenant_id = '{hotel.tenant_id}'"
            )
        each.append(
            "SELECT 'dead letter ' || reason FROM billing_central.dead_letters"
            f" WHERE strpos(message, '{hotel.tenant_id}') > 0"
        )
        return " UNION ALL ".join(each)

    def _folder(self, hotel: Hotel) -> Path:
        folder = Path(hotel.house.wiring.settings.local_folder)
        return folder / "documents" / hotel.tenant_id.hex

    def _drop_newcomer(self) -> None:
        if self.newcomer is None:
            return
        self.admin.run(f"DROP SCHEMA IF EXISTS {schema_of(self.newcomer)} CASCADE")
        gone = "DELETE FROM billing_central.tenants WHERE tenant_id = :tenant"
        self.admin.run(gone, tenant=self.newcomer)
        role = role_of(self.newcomer)
        if self.admin.run("SELECT to_regrole(:role) IS NOT NULL", role=role)[0][0]:
            self.admin.run(f"DROP OWNED BY {role}; DROP ROLE {role}")
        self.newcomer = None


def struck_out(text: str) -> str:
    """The text without what is another one in each run."""
    for pattern, put in STRUCK_OUT:
        text = pattern.sub(put, text)
    return text
