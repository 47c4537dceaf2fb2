"""Are a tenant's books as they were written? Asked of an export, by somebody who trusts nobody.

Nothing is shared with what writes the books (`forgery/retelling.py` and `retelling_credits.py` are
this module's other parts), and no stored hash is believed: each is computed again, and rows are
held against what was hashed.

- An audit entry's hash covers the entry, but for its tenant, and the entry before it. A folio's row
  names its newest entry. The entries' details name its lines, payments and settlement, from which
  balance and ledger follow. An entry of the settings covers the version that it tells of.
- An account of prepaid credits names its newest entry; the entries' details name its movements.
  What a folio tells of a payment by credits, and of its refunds, the account must tell, too.
- An invoice's payload names its row, its lines and the payload before it in its series. Its hash is
  signed with the tenant's key, and named by the first entry of the invoice's trail; each further
  entry names a PDF by its hash. A salted hash in the payload covers the person.

Whoever owns the database, but not the signing key, can still do this unseen, if every later hash is
computed again, too; roots of the trails that are kept outside (AUD-2) will show it:

- write a folio anew with its trail, head, lines, payments and ledger, as far as no invoice names
  them; take an open folio away with all of it, or a series' newest invoice with its folio, unless
  credits settled it;
- grant an account of credits more or less than it was granted, in its trail, rows and book;
- write an invoice anew that is not signed yet: seconds after it was issued, but minutes if drawing
  it fails;
- change who did a thing, why, when and by which proof, in the trail of an invoice, of the settings
  or of an actor, or take its newest entries away with what they tell of: it has no head elsewhere;
- put another PDF in the place of one, in row, trail and store, if it claims the same;
- erase a person, as the law may ask;
- change what nothing names: `UNCOMMITTED` in `forgery/altering.py` lists these columns.

`forgery/unseen.py` does each of these, and a test says when one of them comes to be seen.

(r, n - s) in the place of a signature (r, s) is no finding: anybody can write it, it is as valid,
says the same of the same payload, and nothing goes by the bytes of a signature.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from io import BytesIO
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pypdf import PdfReader

from tests.trust.forgery.retelling import (
    TABLES,
    issued_by,
    printed_as,
    rendition_of,
    retold,
    said_by,
    told_in,
)
from tests.trust.forgery.retelling_credits import (
    CREDITED,
    is_empty,
    last_moved,
    left_by,
    names_of,
    redeemed,
    restored,
    retold_credits,
)

Row = dict[str, Any]
SERIES: Final = ("jurisdiction", "document_type", "year")
UNHASHED: Final = {"tenant_id", "hash"}
CLAIMS: Final = ("invoiceNumber", "payloadSha256", "templateVersion")
ALGORITHM: Final = "EC_SIGN_P256_SHA256"
KEYS: Final = defaultdict(lambda: ("id",)) | {
    "credit_book_entries": ("entry_id", "part"),
    "folio_lines": ("folio_id", "sequence"),
    "invoice_lines": ("line_id",),
    "invoice_persons": ("invoice_id",),
    "invoice_renditions": ("invoice_id", "copy"),
    "invoice_signatures": ("invoice_id",),
    "ledger_entries": ("source", "part"),
    "number_series": SERIES,
    "refund_settlements": ("refund_id",),
    "reopenings": ("folio_id", "number"),
    "settings_versions": ("version",),
}


@dataclass(frozen=True)
class Export:
    """A tenant's rows by table, its PDFs by their names, its public keys in PEM by version."""

    tenant_id: UUID
    tables: dict[str, list[Row]]
    pdfs: dict[str, bytes]
    keys: dict[str, bytes]

    def trails(self, kind: str = "") -> dict[tuple[str, str], list[Row]]:
        """The audit entries by aggregate, in their order; of one kind, or all."""
        found: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for entry in sorted(self.tables["audit_entries"], key=lambda entry: entry["sequence"]):
            if kind in ("", entry["aggregate_kind"]):
                found[entry["aggregate_kind"], entry["aggregate_id"]].append(entry)
        return found


def findings(export: Export) -> Iterator[str]:
    """What is not as it was written. What cannot be read is not as it was written, either."""
    for check in (tenant, trails, settings, folios, credits, bills, invoices, issues, persons):
        try:
            yield from check(export)
        except (LookupError, ValueError, TypeError, AttributeError) as trouble:
            yield f"{check.__name__} cannot be read: {trouble!r}"


def tenant(export: Export) -> Iterator[str]:
    for table, rows in export.tables.items():
        if any(row["tenant_id"] != export.tenant_id for row in rows):
            yield f"{table}: a row is another tenant's"


def trails(export: Export) -> Iterator[str]:
    for name, entries in export.trails().items():
        previous, left = bytes(32), None
        for sequence, entry in enumerate(entries, 1):
            if (entry["sequence"], entry["previous_hash"]) != (sequence, previous):
                yield f"{name}: entry {sequence} does not follow the one before it"
            if entry["digest_before"] != left:
                yield f"{name}: entry {sequence} begins with a state that was not left"
            previous, left = hash_of(entry), entry["digest_after"]
            if entry["hash"] != previous:
                yield f"{name}: entry {sequence} is not what was hashed"


def settings(export: Export) -> Iterator[str]:
    """The nth version is the one that the nth entry tells of."""
    rows, told = [], []
    for row in export.tables["settings_versions"]:
        document = json.dumps(row["document"], sort_keys=True).encode()
        state = {"version": row["version"], "documentSha256": sha256(document).hex()}
        rows.append({**row, "digest": sha256(canonical(state))})
    for entry in export.trails("settings").get(("settings", "settings"), []):
        version = {"version": entry["sequence"], "digest": entry["digest_after"]}
        told.append({**version, "recorded_at": entry["recorded_at"]})
    yield from held("settings_versions", KEYS["settings_versions"], rows, told)


def folios(export: Export) -> Iterator[str]:
    """A folio, and all that moved it, is what its trail tells, to the last entry."""
    told: dict[str, list[Row]] = {table: [] for table in TABLES}
    heads = []
    for (_, name), (*entries, last) in export.trails("folio").items():
        for table, rows in retold(name, [*entries, last]).items():
            told[table] += rows
        head = {"version": last["sequence"], "trail": hash_of(last)}
        heads.append({"id": name, "state_digest": last["digest_after"], **head})
    yield from held("folios", KEYS["folios"], export.tables["folios"], heads)
    for table, rows in told.items():
        yield from held(table, KEYS[table], export.tables[table], rows)


def credits(export: Export) -> Iterator[str]:
    """An account of credits, its movements and their book are what its trail tells."""
    told: dict[str, list[Row]] = {table: [] for table in CREDITED}
    heads, accounts = [], export.trails("credit_account")
    ids = names_of(accounts)
    for (_, name), entries in accounts.items():
        for table, rows in retold_credits(name, entries, ids).items():
            told[table] += rows
        moved = 0
        for entry in entries:
            moved = last_moved(entry, moved)
            if sha256(canonical(left_by(entry, moved))) != entry["digest_after"]:
                yield f"{name}: entry {entry['sequence']} leaves another state"
        last = entries[-1]
        head = {"version": last["sequence"], "trail": hash_of(last)}
        heads.append({"id": name, "state_digest": last["digest_after"], **head})
    there = {table: export.tables[table] for table in CREDITED}
    there["credit_accounts"] = [row for row in there["credit_accounts"] if not is_empty(row)]
    yield from held("credit_accounts", ("id",), there["credit_accounts"], heads)
    for table, rows in told.items():
        yield from held(table, KEYS[table], there[table], rows)


def bills(export: Export) -> Iterator[str]:
    """What credits settled, the folio and the account tell alike; so with what came back of it."""
    entries, payments = export.tables["credit_ledger_entries"], export.tables["payments"]
    for kind, told in (
        ("redeem", redeemed(payments)),
        ("restore", restored(payments, export.tables["refunds"])),
    ):
        moved = [entry for entry in entries if entry["kind"] == kind]
        yield from held("credit_ledger_entries", ("reference",), moved, told)


def invoices(export: Export) -> Iterator[str]:
    """Invoices, their lines and their series are what the payloads say."""
    told: dict[str, list[Row]] = defaultdict(list)
    lines = {line["id"]: line for line in export.tables["folio_lines"]}
    last: dict[tuple[Any, ...], tuple[int, bytes | None, datetime]] = {}
    for row in sorted(export.tables["invoices"], key=lambda row: row["series_number"]):
        paper, name = read(row["payload"]), row["id"]
        said = said_by(paper, sha256(row["payload"].encode()))
        told["invoices"].append(said)
        listed = [{"line_id": line, "invoice_id": name} for line in paper["lineIds"]]
        told["invoice_lines"] += listed
        place = tuple(said[column] for column in SERIES)
        number, previous, before = last.get(place, (0, None, said["issued_at"]))
        if (said["series_number"], said["previous_sha256"]) != (number + 1, previous):
            yield f"{name} does not follow the one before it in its series"
        if said["issued_at"] < before:
            yield f"{name} is issued before the one before it"
        last[place] = said["series_number"], said["payload_sha256"], said["issued_at"]
        if paper["tenantId"] != str(export.tenant_id):
            yield f"{name} is another tenant's"
        for line in paper["lines"]:
            if not printed_as(line, lines[line["lineId"]], paper["language"]):
                yield f"{name}: line {line['lineId']} reads otherwise"
    for place, (number, hashed, issued_at) in last.items():
        heads = {"last_number": number, "last_sha256": hashed, "last_issued_at": issued_at}
        told["number_series"].append({**dict(zip(SERIES, place, strict=True)), **heads})
    for table in ("invoices", "invoice_lines", "number_series"):
        yield from held(table, KEYS[table], export.tables[table], told[table])


def issues(export: Export) -> Iterator[str]:
    """An invoice was told of as it stands, is signed, and was drawn as often as its trail says."""
    rows = {row["id"]: row for row in export.tables["invoices"]}
    signatures = {row["invoice_id"]: row for row in export.tables["invoice_signatures"]}
    drawn = {(row["invoice_id"], row["copy"]): row for row in export.tables["invoice_renditions"]}
    told: dict[str, list[Row]] = defaultdict(list)
    for (_, name), entries in export.trails("invoice").items():
        payload = rows[name]["payload"]
        paper, hashed = read(payload), sha256(payload.encode())
        told["invoices"].append({"id": name, **issued_by(entries[0])})
        told["settlements"].append({"id": paper["settlementId"], "folio_id": paper["folioId"]})
        state = {"id": name, "number": paper["number"], "payloadSha256": hashed.hex()}
        for copy, entry in enumerate(entries):
            left = canonical({**state, "signed": copy > 0, "copies": copy})
            if sha256(left) != entry["digest_after"]:
                yield f"{name}: entry {copy + 1} leaves another state"
        for copy, entry in enumerate(entries[1:]):
            lies_at = drawn.get((name, copy), {}).get("object_name", "")  # its content is told
            rendition = {**rendition_of(told_in(entry), copy, paper), "object_name": lies_at}
            told["invoice_renditions"].append(rendition)
            pdf = export.pdfs.get(rendition["object_name"], b"")
            claims = paper["number"], hashed.hex(), rendition["template_version"]
            if sha256(pdf) != rendition["pdf_sha256"] or claimed_by(pdf) != claims:
                yield f"{name}: copy {copy} is not the PDF that was drawn"
        if len(entries) > 1 or name in signatures:
            told["invoice_signatures"].append({"invoice_id": name, "algorithm": ALGORITHM})
            signature = signatures[name]
            key = export.keys.get(signature["key_version"], b"")
            if not holds(key, hashed, signature["signature"]):
                yield f"{name}: the signature is not of the tenant's key"
    for table in ("invoices", "settlements", "invoice_renditions", "invoice_signatures"):
        yield from held(table, KEYS[table], export.tables[table], told[table])


def persons(export: Export) -> Iterator[str]:
    """The payload names a person by a salted hash; of one that was erased nothing is left."""
    rows = export.tables["invoice_persons"]
    papers = {row["id"]: read(row["payload"]) for row in export.tables["invoices"]}
    yield from held("invoice_persons", KEYS["invoice_persons"], rows, [
        {"invoice_id": name} for name in papers
    ])  # fmt: skip
    for row in rows:
        erased = row["salt"] is None and row["document"] is None and row["erased_at"] is not None
        if erased or row["invoice_id"] not in papers:
            continue
        commitment = sha256(bytes(row["salt"]) + canonical(row["document"])).hex()
        meant = papers[row["invoice_id"]]["customer"]["commitment"]
        if commitment != meant or row["erased_at"] is not None:
            yield f"{row['invoice_id']}: the person is another one"


# how things are hashed, and held against one another


def held(table: str, key: Sequence[str], rows: list[Row], told: Iterable[Row]) -> Iterator[str]:
    """Hold a table against the rows that must be in it, in the columns that these name."""
    missing = {tuple(row[column] for column in key): row for row in told}
    for row in rows:
        name = tuple(row[column] for column in key)
        must = missing.pop(name, None)
        if must is None:
            yield f"{table}: nothing tells of {name}"
            continue
        for column, value in must.items():
            outer, _, inner = column.partition(".")
            if ((row[outer] or {}).get(inner) if inner else row[outer]) != value:
                yield f"{table}: {column} of {name} is another one"
    yield from (f"{table}: {name} is missing" for name in missing)


def hash_of(entry: Row) -> bytes:
    return sha256(canonical({c: plain(v) for c, v in entry.items() if c not in UNHASHED}))


def plain(value: Any) -> Any:
    match value:
        case bytes():
            return value.hex()
        case datetime():
            return value.astimezone(UTC).isoformat()
        case _:
            return value


def canonical(document: Any) -> bytes:
    """RFC 8785, for documents of strings, whole numbers and ASCII keys."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


@lru_cache(maxsize=1024)
def read(text: str) -> Any:
    return json.loads(text)


@lru_cache(maxsize=1024)
def holds(pem: bytes, hashed: bytes, signature: bytes) -> bool:
    try:
        key = load_pem_public_key(pem)
        key.verify(signature, hashed, ECDSA(Prehashed(SHA256())))  # type: ignore[union-attr,call-arg]
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=256)
def claimed_by(pdf: bytes) -> tuple[str, ...]:
    """The number, hash and template that a PDF claims; nothing if it is none."""
    try:
        info = PdfReader(BytesIO(pdf), strict=True).metadata or {}
        return tuple(str(info[f"/{name}"]) for name in CLAIMS)
    except Exception:  # noqa: BLE001 - a parser of strangers' files can fail in any way
        return ()
