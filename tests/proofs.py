"""What must hold of a hotel's books, recomputed from the rows alone, without the product's code.

`state` is compared before and after what is refused: not one row may be another one.
`assert_books_are_right` holds after whatever has happened.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from werkzeug.test import TestResponse

from tests.hotel import Hotel
from tests.trust.books import broken, tables

CODE = "MELMASTOON.BILLING."
GENERAL = "MELMASTOON.GENERAL."
CENTRAL = (
    *("subscriptions", "subscription_invoices", "platform_entries"),
    *("platform_credit_notes", "subscription_refunds", "platform_reversal_entries"),
    *("trials", "trial_marks"),
)
CHAINED = [
    "id",
    "aggregate_kind",
    "aggregate_id",
    "sequence",
    "action",
    "actor",
    "auth_strength",
    "step_up_token_id",
    "assertion_hash",
    "reason",
    "detail",
    "digest_before",
    "digest_after",
    "trace_id",
    "occurred_at",
    "recorded_at",
    "previous_hash",
]


def state(hotel: Hotel, *, without: tuple[str, ...] = ()) -> dict[str, tuple[int, str]]:
    """Every table of the tenant that has rows: how many, and a digest of all that they hold."""
    each = [
        f"SELECT '{name}', count(*), md5(coalesce(string_agg(r::text, '|' ORDER BY r::text), ''))"
        f" FROM {hotel.schema}.{name} AS r"
        for name, has_rows in tables(hotel).items()
        if has_rows and name not in without
    ]
    if "outbox" not in without:
        each.append(
            "SELECT 'outbox', count(*), md5(coalesce(string_agg(event, '|' ORDER BY id), ''))"
            f" FROM billing_central.outbox WHERE tenant_id = '{hotel.tenant_id}'"
        )
    each += [
        f"SELECT '{name}', count(*), md5(coalesce(string_agg(r::text, '|' ORDER BY r::text), ''))"
        f" FROM billing_central.{name} AS r WHERE tenant_id = '{hotel.tenant_id}'"
        for name in (
            *("subscriptions", "subscription_invoices", "platform_entries", "usage_periods"),
            *("usage_records", "usage_events", "usage_values", "usage_totals"),
            *("trials", "trial_marks", "subscription_payments", "subscription_collections"),
            "revenue_movements",
        )
    ]
    return {row[0]: (row[1], row[2]) for row in hotel.house.sql(" UNION ALL ".join(each))}


def assert_refused(answer: TestResponse, status: int, code: str) -> None:
    """A problem document with this status and code (RFC 9457)."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    document = answer.json
    assert document["code"] == (code if "." in code else CODE + code), answer.text
    assert document["status"] == status
    assert {"type", "title", "detail", "instance", "traceId"} <= set(document)


def assert_answers_once(hotel: Hotel, path: str, body: Any, other: Any, **more: Any) -> None:
    """The same key and request: the same answer byte for byte, one effect. Other request: 422."""
    key = "0b7f-once"
    first = hotel.post(path, body, key=key, **more)
    after_first = state(hotel)

    again = hotel.post(path, body, key=key, **more)
    reused = hotel.post(path, other, key=key, **more)

    assert first.status_code < 300, first.text
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert again.headers.get("ETag") == first.headers.get("ETag")
    assert_refused(reused, 422, GENERAL + "IDEMPOTENCY_KEY_REUSED")
    assert state(hotel) == after_first


def assert_books_are_right(hotel: Hotel) -> None:
    """Balances, ledger, drawers, events and audit trails of a hotel agree with one another.

    They are worked out here without the product's code, and the product's own invariants are asked
    besides: all of them, as the nightly job asks.
    """
    wrong = broken(hotel)
    assert not wrong, wrong
    assert_balances(hotel)
    assert_drawers_are_right(hotel)
    assert_events_are_gap_free(hotel)
    assert_trails_are_whole(hotel)


def assert_balances(hotel: Hotel) -> None:
    """A folio's balance is the sum of its lines; the guest ledger holds what is owed of it, and the
    deposits what was paid ahead; lines are numbered 1 to n."""
    rows = hotel.rows(
        "SELECT id, balance_micro, last_line,"
        " (SELECT coalesce(sum(amount_micro), 0) FROM {s}.folio_lines WHERE folio_id = f.id),"
        " (SELECT coalesce(array_agg(sequence ORDER BY sequence), '{}') FROM {s}.folio_lines"
        "   WHERE folio_id = f.id),"
        f" {_held_in('guest_ledger')}, {_held_in('guest_deposits')}, deposits_micro"
        " FROM {s}.folios AS f"
    )
    for folio, balance, last, lines, sequences, owed, ahead, known in rows:
        assert balance == lines, folio
        assert (owed, -ahead, known) == (max(0, balance), max(0, -balance), max(0, -balance)), folio
        assert sequences == list(range(1, last + 1)), folio


def _held_in(account: str) -> str:
    """Debits less credits of an account, of a folio `f`."""
    return (
        f"(SELECT coalesce(sum(CASE WHEN debit_account = '{account}' THEN amount_micro"
        f"   WHEN credit_account = '{account}' THEN -amount_micro ELSE 0 END), 0)"
        "   FROM {s}.ledger_entries WHERE folio_id = f.id)"
    )


def assert_drawers_are_right(hotel: Hotel) -> None:
    """What is due in a drawer is what came in less what went out; a closed one's account is empty.

    While a session waits the ledger says what it said when the drawer was counted, and after its
    closing what was expected, less over and short, is what was counted and turned in.
    """
    for session, status, expected, count in hotel.rows(
        "SELECT id, status, expected, count FROM {s}.cash_sessions"
    ):
        ledger, moved = _ledger_of(hotel, session), _moved_in(hotel, session)
        assert ledger == moved, session
        if status in ("closed", "acknowledged"):
            assert set(ledger.values()) <= {0}, session
            booked = _moved_in(hotel, session, "('over', 'short')")
            turned_in = _moved_in(hotel, session, "('turned_in')")
            counted = _by_currency(part for part in count)
            due = _by_currency(expected)
            for currency in counted.keys() | due.keys():
                over = booked.get(currency, 0)
                assert due.get(currency, 0) + over == counted.get(currency, 0), session
                assert -turned_in.get(currency, 0) == counted.get(currency, 0), session
        if status == "pending_close":
            assert ledger == _by_currency(expected), session


def _ledger_of(hotel: Hotel, session: str) -> dict[str, int]:
    """What the ledger says is in a drawer, by currency."""
    rows = hotel.rows(
        "SELECT currency, sum(CASE WHEN debit_account = :account THEN amount_micro"
        " ELSE -amount_micro END)::bigint FROM {s}.ledger_entries"
        " WHERE :account IN (debit_account, credit_account) GROUP BY currency",
        account=f"cash:{session}",
    )
    return dict(rows)


def _moved_in(hotel: Hotel, session: str, kinds: str = "") -> dict[str, int]:
    """What guests and staff put in, less what was taken out, by currency."""
    out = "('paid_out', 'drop', 'short', 'turned_in')"
    movements = (
        f"SELECT currency, CASE WHEN kind IN {out} THEN -amount_micro ELSE amount_micro END"
        " AS micro FROM {s}.cash_movements WHERE session_id = :session"
    )
    movements += f" AND kind IN {kinds}" if kinds else ""
    payments = (
        " UNION ALL SELECT paid_currency, paid_amount_micro FROM {s}.payments"
        " WHERE cash_session_id = :session"
        " UNION ALL SELECT paid_currency, -paid_amount_micro FROM {s}.refunds"
        " WHERE cash_session_id = :session"
        " UNION ALL SELECT currency, amount_micro FROM {s}.account_credits"
        " WHERE cash_session_id = :session"
    )
    both = movements + ("" if kinds else payments)
    rows = hotel.rows(
        f"SELECT currency, sum(micro)::bigint FROM ({both}) AS moved GROUP BY currency",
        session=session,
    )
    return dict(rows)


def _by_currency(parts: Any) -> dict[str, int]:
    return {part["currency"]: part["amountMicro"] for part in parts}


def assert_events_are_gap_free(hotel: Hotel) -> None:
    """The events of an aggregate are numbered 1 to n, in the order of the outbox."""
    by_subject: dict[str, list[int]] = {}
    for event in hotel.events():
        by_subject.setdefault(event["subject"], []).append(int(event["sequence"]))
    for subject, sequences in by_subject.items():
        assert sequences == list(range(1, len(sequences) + 1)), subject


def assert_trails_are_whole(hotel: Hotel) -> None:
    """Each entry fits its own hash, its predecessor's hash and its predecessor's state.

    A folio, a drawer, a session, a reconciliation and an account keep the head of their
    trail themselves, so that its last entry cannot be taken away either. An account of credits that
    was opened for a purchase which then was declined has none yet.
    """
    heads: dict[tuple[str, str], tuple[int, bytes, bytes | None]] = {}
    for entry in trail(hotel):
        name = entry["aggregate_kind"], entry["aggregate_id"]
        sequence, previous, before = heads.get(name, (0, bytes(32), None))
        assert entry["sequence"] == sequence + 1, name
        assert entry["previous_hash"] == previous, name
        assert entry["digest_before"] == before, name
        assert entry["hash"] == _hash_of(entry), name
        heads[name] = entry["sequence"], entry["hash"], entry["digest_after"]
    kinds = "folio", "cash_drawer", "cash_session", "reconciliation"
    for kind in (*kinds, "company_account", "credit_account"):
        rows = hotel.rows(f"SELECT id, version, trail, state_digest FROM {{s}}.{kind}s")
        for subject, *head in rows:
            untouched = kind == "credit_account" and head[0] == 0
            assert untouched or heads.get((kind, subject)) == tuple(head), subject


def trail(hotel: Hotel, action: str | None = None) -> list[dict[str, Any]]:
    """The audit entries of a hotel, by aggregate and sequence."""
    rows = hotel.rows(
        f"SELECT {', '.join(CHAINED)}, hash FROM {{s}}.audit_entries"
        " ORDER BY aggregate_kind, aggregate_id, sequence"
    )
    entries = [dict(zip([*CHAINED, "hash"], row, strict=True)) for row in rows]
    return [entry for entry in entries if action in (None, entry["action"])]


def told(hotel: Hotel) -> list[str]:
    """The facts that were told, in their order: `folio.opened`, `charge.posted` ..."""
    prefix, suffix = "melmastoon.billing.", ".v1"
    return [e["type"].removeprefix(prefix).removesuffix(suffix) for e in hotel.events()]


def assert_nothing_personal(hotel: Hotel, *secrets: str) -> None:
    """None of these words is in an event, an audit entry or an invoice's payload."""
    published = json.dumps([hotel.events(), [str(entry) for entry in trail(hotel)]])
    payloads = "".join(row[0] for row in hotel.rows("SELECT payload FROM {s}.invoices"))
    for secret in secrets:
        assert secret not in published
        assert secret not in payloads


def _hash_of(entry: dict[str, Any]) -> bytes:
    """SHA-256 over the entry without its hash: sorted keys, no spaces, UTF-8 (RFC 8785)."""
    document = {name: _written(entry[name]) for name in CHAINED}
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()


def _written(value: Any) -> Any:
    match value:
        case bytes():
            return value.hex()
        case datetime():
            return value.astimezone(UTC).isoformat()
        case _:
            return value
