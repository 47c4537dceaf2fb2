"""Deductions a second from prepaid credits, beside the same work without us and beside pgledger.

- the floor: pgbench, the same rows in one durable transaction, prepared, no HTTP, no Python;
- pgledger, on the same server: one transfer between two of its accounts by its own function, called
  by pgbench; left out where no checkout of it (github.com/pgr0ss/pgledger) is named.

pgledger keeps two entries and two balances. A deduction keeps lots by expiry, an entry that names
them, a double-entry row, an event, an audit entry that is chained, and the answer for a retry; and
it is asked for over HTTP, with a token. The ratios are of one run on one machine.
"""

import json
import statistics
from contextlib import redirect_stdout
from io import StringIO
from itertools import cycle
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from common.local.functions import ROOT
from common.postgres.address import open_session
from tests.benchmarks.measuring import CLIENTS, ROUNDS, Call, load, middle, row
from tests.benchmarks.servers import pgbench, service
from tests.hotel import Hotel, House
from tests.prepaying import granted

DEDUCT: Final = ROOT / "functions" / "credits" / "deduct_credits.py"
ACCOUNTS: Final = (1, 1_000)
CREDITS: Final = 900_000
SPENT_MICRO: Final = 10_000
SCOPE: Final = "billing.credits.write"
PGLEDGER_DATABASE: Final = "pgledger"

FLOOR = """\
\\set n random(1, {accounts})
BEGIN;
SELECT set_config('search_path', '{schema}', true), set_config('app.tenant_id', '{tenant}', true);
SELECT id AS account, last_entry AS last, version AS version, balance_micro AS balance
  FROM credit_accounts WHERE id = (SELECT id FROM bench_accounts WHERE n = :n) FOR UPDATE \\gset
SELECT id AS lot, gen_random_uuid()::text AS entry FROM credit_lots
  WHERE account_id = :account AND left_micro > 0 LIMIT 1 \\gset
UPDATE credit_lots SET left_micro = left_micro - {spent} WHERE id = :lot;
INSERT INTO credit_ledger_entries (tenant_id, id, account_id, sequence, kind, amount_micro,
  held_micro, debt_micro, metered_micro, balance_micro, service, actor, occurred_at, recorded_at)
  VALUES ('{tenant}', :entry, :account, :last + 1, 'spend', -{spent}, 0, 0, {spent},
  :balance::bigint - {spent}, 'bench', 'bench', now(), now());
INSERT INTO credit_entry_lots (tenant_id, entry_id, lot_id, amount_micro, held_micro)
  VALUES ('{tenant}', :entry, :lot, -{spent}, 0);
INSERT INTO credit_book_entries (tenant_id, entry_id, part, debit_account, credit_account,
  amount_micro, occurred_at, recorded_at) VALUES ('{tenant}', :entry, 0, 'credits_outstanding',
  'credits_spent', {spent}, now(), now());
UPDATE credit_accounts SET balance_micro = balance_micro - {spent}, last_entry = last_entry + 1,
  version = version + 1 WHERE id = :account;
INSERT INTO billing_central.outbox (tenant_id, shard, ordering_key, sequence, event_id, event_type,
  event, recorded_at) VALUES ('{tenant}', 0, :account, :version + 1, gen_random_uuid()::text,
  'bench', repeat('x', 900), now());
INSERT INTO audit_entries (tenant_id, id, aggregate_kind, aggregate_id, sequence, action, actor,
  auth_strength, detail, digest_after, trace_id, occurred_at, recorded_at, previous_hash, hash)
  VALUES ('{tenant}', gen_random_uuid()::text, 'credit_account', :account, :version + 1, 'bench',
  'bench', 'pwd', repeat('x', 700), '', '', now(), now(), '', '');
INSERT INTO idempotency_keys (tenant_id, key_hash, function, fingerprint, status, headers, body,
  recorded_at) VALUES ('{tenant}', uuid_send(gen_random_uuid()), 'bench', '', 201, '{{}}',
  repeat('x', 900), now());
COMMIT;
"""
TRANSFER = """\
\\set n random(1, {accounts})
SELECT source AS source, sink AS sink FROM bench_accounts WHERE n = :n \\gset
SELECT id FROM pgledger_create_transfer(:source, :sink, 0.01);
"""
PGLEDGER_ACCOUNTS = """
CREATE TABLE bench_accounts AS
SELECT n, (SELECT id FROM pgledger_create_account('account ' || n, 'USD')) AS source,
       (SELECT id FROM pgledger_create_account('spent ' || n, 'USD')) AS sink
FROM generate_series(1, :accounts) AS n
"""


def run(console: Console, house: House, seconds: int, folder: Path, pgledger: Path | None) -> None:
    """One hot account, and a thousand: over HTTP, by pgbench, by pgledger."""
    ledger = _pgledger(house, pgledger) if pgledger else ""
    for accounts in ACCOUNTS:
        hotel = house.new_hotel()
        names = [f"bench_{number}" for number in range(accounts)]
        with redirect_stdout(StringIO()):  # a line of the log for each
            for name in names:
                granted(hotel, CREDITS, account=name)
        table = Table(
            title=f"Deductions over HTTP, {CLIENTS} clients, accounts: {accounts:,}",
            title_justify="left",
        )
        for column in ("", "a second", "p50 ms", "p99 ms", "CPU us", "against pgbench"):
            table.add_column(column, justify="left" if not column else "right")
        with service(house, folder, DEDUCT) as ours:
            runs = [load(ours, _calls(hotel, names), seconds, folder) for _ in range(ROUNDS)]
        floors = [_floor(house, hotel, accounts, seconds, folder) for _ in range(ROUNDS)]
        floor, measured = statistics.median(floors), middle(runs)
        table.add_row("this service", *row(measured), f"{measured.per_second / floor:.2f}")
        table.add_row("pgbench, no HTTP", f"{floor:,.0f}", "", "", "", "1.00")
        if ledger:
            transfers = _transfers(house, accounts, seconds, folder, ledger)
            table.add_row(
                "pgledger, no HTTP", f"{transfers:,.0f}", "", "", "", f"{transfers / floor:.2f}"
            )
        console.print(table)


def _calls(hotel: Hotel, names: list[str]) -> list[Call]:
    """The accounts in turn, from as many services as there are clients."""
    tokens = [hotel.token(SCOPE, sub=f"service-{number}") for number in range(CLIENTS)]
    turns = range(max(len(names), CLIENTS))
    return [
        ("/api/v1/credits/deduct", token, _body(name))
        for _, name, token in zip(turns, cycle(names), cycle(tokens), strict=False)
    ]


def _body(account: str) -> str:
    return json.dumps({"account": account, "creditsMicro": SPENT_MICRO, "service": "bench"})


def _floor(house: House, hotel: Hotel, accounts: int, seconds: int, folder: Path) -> float:
    schema = hotel.schema
    hotel.rows("DROP TABLE IF EXISTS {s}.bench_accounts")
    hotel.rows(
        f"CREATE TABLE {schema}.bench_accounts AS"
        f" SELECT row_number() OVER () AS n, id FROM {schema}.credit_accounts"
    )
    script = folder / "deduct.sql"
    words = {"tenant": hotel.tenant_id, "schema": schema, "spent": SPENT_MICRO}
    script.write_text(FLOOR.format(accounts=accounts, **words), encoding="utf-8")
    return pgbench(house, script, seconds, house.server.dsn(database="billing"))


def _pgledger(house: House, checkout: Path) -> str:
    """A database of its own with pgledger in it; answers its address."""
    admin = open_session(house.server.dsn())
    admin.run(f"CREATE DATABASE {PGLEDGER_DATABASE}")
    admin.close()
    address = house.server.dsn(database=PGLEDGER_DATABASE)
    session = open_session(address)
    for file in (*sorted(checkout.glob("vendor/**/*.sql")), checkout / "pgledger.sql"):
        session.run(file.read_text(encoding="utf-8"))
    session.close()
    return address


def _transfers(house: House, accounts: int, seconds: int, folder: Path, address: str) -> float:
    session = open_session(address)
    session.run("DROP TABLE IF EXISTS bench_accounts")
    session.run(PGLEDGER_ACCOUNTS, accounts=accounts)
    session.close()
    script = folder / "transfer.sql"
    script.write_text(TRANSFER.format(accounts=accounts), encoding="utf-8")
    return statistics.median(pgbench(house, script, seconds, address) for _ in range(ROUNDS))
