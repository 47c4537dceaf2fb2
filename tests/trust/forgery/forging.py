"""What somebody does who knows how the hashes are made, and has no key to sign with.

Each forgery computes again as many hashes as it can, and is left with one thing that it cannot make
true: the folio's head, the row that an entry tells of, or the signature.
"""

import json
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

from tests.trust.forgery.altering import flipped, other, with_pdf, with_row, with_rows
from tests.trust.forgery.retelling import said_by
from tests.trust.forgery.retelling_credits import left_by, names_of, retold_credits
from tests.trust.verifier import KEYS, Export, Row, canonical, hash_of, sha256

Forgery = Callable[[Export, Random], Export | None]
ORDER_OF_P256: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
HEADED: Final = frozenset({"credit_account", "folio"})
"""Their rows name the newest entry of their trails."""
CHAINED: Final = ("credit_account", "folio", "invoice", "settings")
IN_CHAIN: Final = frozenset({"tenant_id", "sequence", "aggregate_kind", "aggregate_id"})


# trails


def hashes_one_entry_again(books: Export, chance: Random) -> Export | None:
    """A field of an entry is another one, and so is its hash; what follows is left alone.

    The newest entry of a trail without a head elsewhere would go unseen, and is not taken.
    """
    kind, entries = _a_trail(books, chance)
    at = chance.randrange(len(entries) - (kind not in HEADED))
    forged = _with_other_field(books, entries[at], chance)
    return with_entries(books, [entries[at]], [{**forged, "hash": hash_of(forged)}])


def hashes_the_rest_again(books: Export, chance: Random) -> Export | None:
    """A field of an entry is another one, and every hash from there on fits again.

    A folio and an account of credits know their newest entry. In other trails only what is told of
    rows outside is seen.
    """
    kind, entries = _a_trail(books, chance, *CHAINED)
    at = chance.randrange(len(entries))
    digests = ["digest_before", "digest_after"]
    columns = {"invoice": ["detail", *digests], "settings": digests}.get(kind, [])
    forged = _with_other_field(books, entries[at], chance, columns)
    return with_entries(books, entries, chained([*entries[:at], forged, *entries[at + 1 :]]))


def forges_an_entry(books: Export, chance: Random) -> Export | None:
    """Something that never happened stands in a trail, with hashes that fit."""
    _, entries = _a_trail(books, chance, *CHAINED)
    at = chance.randrange(1, len(entries) + 1)
    forged = {**chance.choice(entries), "id": f"aud_{chance.getrandbits(64):026X}"}
    trail = [*entries[:at], forged, *entries[at:]]
    return with_entries(books, entries, chained(trail, renumbered=True))


def takes_an_entry_out(books: Export, chance: Random) -> Export | None:
    """Something that happened is gone from a trail, and the others close the ranks."""
    _, entries = _a_trail(books, chance, *CHAINED)
    at = chance.randrange(len(entries))
    rest = [*entries[:at], *entries[at + 1 :]]
    return with_entries(books, entries, chained(rest, renumbered=True))


def _a_trail(books: Export, chance: Random, *kinds: str) -> tuple[str, list[Row]]:
    trails = {name: entries for name, entries in books.trails().items() if len(entries) > 1}
    names = sorted(name for name in trails if not kinds or name[0] in kinds)
    name = chance.choice(names)
    return name[0], trails[name]


def _with_other_field(
    books: Export, entry: Row, chance: Random, columns: list[str] | None = None
) -> Row:
    column = chance.choice(columns or [c for c in entry if c not in IN_CHAIN | {"hash"}])
    seen = [each[column] for each in books.tables["audit_entries"]]
    return {**entry, column: other(entry[column], chance, seen)}


def chained(entries: list[Row], *, renumbered: bool = False) -> list[Row]:
    """The entries as one trail: each carries its predecessor's hash and begins as that ended."""
    trail: list[Row] = []
    for sequence, entry in enumerate(entries, 1):
        last = trail[-1] if trail else {"hash": bytes(32), "digest_after": None}
        follows = {"previous_hash": last["hash"], "digest_before": last["digest_after"]}
        linked = {**entry, **follows} if renumbered else {**entry, "previous_hash": last["hash"]}
        linked["sequence"] = sequence if renumbered else entry["sequence"]
        trail.append({**linked, "hash": hash_of(linked)})
    return trail


def with_entries(books: Export, old: list[Row], new: list[Row]) -> Export:
    ids = {entry["id"] for entry in old}
    rest = [entry for entry in books.tables["audit_entries"] if entry["id"] not in ids]
    return with_rows(books, "audit_entries", [*rest, *new])


# credits


def settles_a_bill_with_fewer_credits(books: Export, chance: Random) -> Export | None:
    """An account has paid less for a bill, or more came back to it: in its trail, rows and book.

    Every hash fits, and so do the sums; the folio tells of the same bill, and is left alone.
    """
    account = chance.choice(sorted(row["id"] for row in books.tables["credit_accounts"]))
    kind, parts = chance.choice(["redeem", "restore"]), chance.randrange(2, 1_000)
    return moved_otherwise(books, account, kind, lambda micro: micro - micro // parts)


def moved_otherwise(
    books: Export, account: str, kind: str, other_sum: Callable[[int], int]
) -> Export | None:
    """The books as if the movements of a kind had been others; None if there are none of it."""
    entries = books.trails("credit_account")["credit_account", account]
    forged, more, moved = [], 0, 0
    for entry in entries:
        detail = json.loads(entry["detail"])
        for each in detail["entries"]:
            was, moved = each["amountMicro"], moved + 1
            if each["kind"] == kind:
                each["amountMicro"] = other_sum(was)
            more += each["amountMicro"] - was
        detail["balanceMicro"] += more
        written = {**entry, "detail": json.dumps(detail, separators=(",", ":"), ensure_ascii=False)}
        forged.append({**written, "digest_after": sha256(canonical(left_by(written, moved)))})
    if not more:
        return None
    trail = chained(forged, renumbered=True)
    rows = retold_credits(account, trail, names_of(books.trails("credit_account")))
    rows["credit_accounts"][0] |= {
        "trail": trail[-1]["hash"],
        "state_digest": trail[-1]["digest_after"],
    }
    for table, told in rows.items():
        new = {tuple(map(row.get, KEYS[table])): row for row in told}
        was_there = books.tables[table]
        changed = [{**row, **new.get(tuple(map(row.get, KEYS[table])), {})} for row in was_there]
        books = with_rows(books, table, changed)
    return with_entries(books, entries, trail)


# invoices


def changes_a_digit(books: Export, chance: Random) -> Export | None:
    """One digit of a payload is another one."""
    place, row = _an_invoice(books, chance)
    return with_row(books, "invoices", place, {**row, "payload": _digit(row["payload"], chance)})


def changes_a_digit_and_its_hash(books: Export, chance: Random) -> Export | None:
    """One digit of a payload is another one, and the hash beside it fits."""
    place, row = _an_invoice(books, chance)
    payload = _digit(row["payload"], chance)
    forged = {**row, "payload": payload, "payload_sha256": sha256(payload.encode())}
    return with_row(books, "invoices", place, forged)


def forges_all_but_the_signature(books: Export, chance: Random) -> Export | None:
    """A digit is another one, and so are row, trail, PDFs, successors and series."""
    signed = sorted(row["invoice_id"] for row in books.tables["invoice_signatures"])
    name = chance.choice(signed)
    row = next(row for row in books.tables["invoices"] if row["id"] == name)
    return issued_otherwise(books, name, _digit(row["payload"], chance))


def issued_otherwise(books: Export, name: str, payload: str) -> Export | None:
    """The books as if an invoice had been issued with another payload; None if it is none."""
    rows = sorted(books.tables["invoices"], key=lambda row: row["series_number"])
    said: Row = {}
    for row in rows[[row["id"] for row in rows].index(name) :]:
        if said:
            paper = json.loads(row["payload"])
            paper["previousDocumentSha256"] = said["payload_sha256"].hex()
            payload = canonical(paper).decode()
        try:
            said = said_by(json.loads(payload), sha256(payload.encode()))
        except (ValueError, KeyError):
            return None
        books = _issued_as(books, row, payload, {**said, "id": row["id"]})
    head = {"last_sha256": said["payload_sha256"], "last_issued_at": said["issued_at"]}
    series = {**books.tables["number_series"][0], **head}
    return with_row(books, "number_series", 0, series)


def _issued_as(books: Export, row: Row, payload: str, said: Row) -> Export:
    """The books as if this payload had been issued in the place of another one."""
    name, hashed = row["id"], said["payload_sha256"].hex()
    rows = [{**r, **said, "payload": payload} if r is row else r for r in books.tables["invoices"]]
    books = with_rows(books, "invoices", rows)
    entries = books.trails("invoice")["invoice", name]
    trail = []
    for copy, entry in enumerate(entries):
        detail = json.loads(entry["detail"])
        detail["number"] = said["number"]
        if copy == 0:
            detail["payloadSha256"] = hashed
            detail["total"] = {"amountMicro": said["total_micro"], "currency": said["currency"]}
            detail["issuedAt"] = said["issued_at"].isoformat().replace("+00:00", "Z")
        else:
            books, detail["pdfSha256"] = _drawn_as(books, row, copy - 1, said)
        state = {"id": name, "number": said["number"], "payloadSha256": hashed}
        digest = sha256(canonical({**state, "signed": copy > 0, "copies": copy}))
        written = json.dumps(detail, separators=(",", ":"), ensure_ascii=False)
        trail.append({**entry, "detail": written, "digest_after": digest})
    return with_entries(books, entries, chained(trail, renumbered=True))


def _drawn_as(books: Export, row: Row, copy: int, said: Row) -> tuple[Export, str]:
    """The books with a PDF that claims another number and hash, and that PDF's own hash."""
    renditions = books.tables["invoice_renditions"]
    place = next(
        place
        for place, each in enumerate(renditions)
        if (each["invoice_id"], each["copy"]) == (row["id"], copy)
    )
    pdf = books.pdfs[renditions[place]["object_name"]]
    pdf = pdf.replace(row["payload_sha256"].hex().encode(), said["payload_sha256"].hex().encode())
    pdf = pdf.replace(row["number"].encode(), said["number"].encode())
    digest = sha256(pdf)
    name = f"invoices/{row['id']}/{copy}-{digest.hex()[:16]}.pdf"
    forged = {**renditions[place], "object_name": name, "pdf_sha256": digest}
    return with_pdf(with_row(books, "invoice_renditions", place, forged), name, pdf), digest.hex()


def _an_invoice(books: Export, chance: Random) -> tuple[int, Row]:
    place = chance.randrange(len(books.tables["invoices"]))
    return place, books.tables["invoices"][place]


def _digit(text: str, chance: Random) -> str:
    at = chance.choice([place for place, letter in enumerate(text) if letter.isdigit()])
    return text[:at] + chance.choice("0123456789".replace(text[at], "")) + text[at + 1 :]


# signatures


def signs_with_another_key(books: Export, chance: Random) -> Export | None:
    """A signature over the very hash, by somebody else, under any name that a key of ours has."""
    place, row = _a_signature(books, chance)
    hashed = next(e for e in books.tables["invoices"] if e["id"] == row["invoice_id"])
    value = _key(chance.randrange(4)).sign(hashed["payload_sha256"], ec.ECDSA(Prehashed(SHA256())))
    forged = {**row, "signature": value, "key_version": chance.choice(sorted(books.keys))}
    return with_row(books, "invoice_signatures", place, forged)


def swaps_two_signatures(books: Export, chance: Random) -> Export | None:
    """Each of two invoices bears what was signed for the other."""
    one, two = chance.sample(range(len(books.tables["invoice_signatures"])), 2)
    rows = list(books.tables["invoice_signatures"])
    first, second = rows[one], rows[two]
    rows[one] = {**second, "invoice_id": first["invoice_id"]}
    rows[two] = {**first, "invoice_id": second["invoice_id"]}
    return with_rows(books, "invoice_signatures", rows)


def spelled_otherwise(books: Export, chance: Random) -> Export:
    """(r, n - s) for (r, s): as valid, and written without the key. No finding, on purpose."""
    place, row = _a_signature(books, chance)
    r, s = decode_dss_signature(row["signature"])
    value = encode_dss_signature(r, ORDER_OF_P256 - s)
    return with_row(books, "invoice_signatures", place, {**row, "signature": value})


def _a_signature(books: Export, chance: Random) -> tuple[int, Row]:
    place = chance.randrange(len(books.tables["invoice_signatures"]))
    return place, books.tables["invoice_signatures"][place]


@cache
def _key(number: int) -> ec.EllipticCurvePrivateKey:
    """A stranger's key; the same one every time."""
    return ec.derive_private_key(1_000_003 + number, ec.SECP256R1())


# PDFs


def flips_a_bit_of_a_pdf(books: Export, chance: Random) -> Export | None:
    name = chance.choice(sorted(books.pdfs))
    return with_pdf(books, name, flipped(books.pdfs[name], chance))


def cuts_or_extends_a_pdf(books: Export, chance: Random) -> Export | None:
    name = chance.choice(sorted(books.pdfs))
    pdf = books.pdfs[name]
    end = chance.randrange(len(pdf))
    return with_pdf(books, name, chance.choice((pdf[:end], pdf + pdf[end:], pdf + b"\n")))


def swaps_two_pdfs(books: Export, chance: Random) -> Export | None:
    one, two = chance.sample(sorted(books.pdfs), 2)
    return with_pdf(with_pdf(books, one, books.pdfs[two]), two, books.pdfs[one])


def draws_another_pdf(books: Export, chance: Random) -> Export | None:
    """Another file stands in the store, and its hash in the row."""
    place = chance.randrange(len(books.tables["invoice_renditions"]))
    row = books.tables["invoice_renditions"][place]
    pdf = flipped(books.pdfs[row["object_name"]], chance)
    digest = sha256(pdf)
    name = f"invoices/{row['invoice_id']}/{row['copy']}-{digest.hex()[:16]}.pdf"
    forged = {**row, "pdf_sha256": digest, "object_name": name}
    return with_pdf(with_row(books, "invoice_renditions", place, forged), name, pdf)


def hands_out_the_pdf_of_another_invoice(books: Export, chance: Random) -> Export | None:
    """What was drawn for one invoice stands for another one: in the store, the row, the trail."""
    rows = books.tables["invoice_renditions"]
    place = chance.randrange(len(rows))
    row = rows[place]
    others = [each for each in rows if each["invoice_id"] != row["invoice_id"]]
    return drawn_otherwise(books, place, books.pdfs[chance.choice(others)["object_name"]])


def drawn_otherwise(books: Export, place: int, pdf: bytes) -> Export:
    """The books as if this PDF had been drawn, in the place of another one."""
    row, digest = books.tables["invoice_renditions"][place], sha256(pdf)
    name = f"invoices/{row['invoice_id']}/{row['copy']}-{digest.hex()[:16]}.pdf"
    forged = {**row, "pdf_sha256": digest, "object_name": name}
    books = with_pdf(with_row(books, "invoice_renditions", place, forged), name, pdf)
    entries = books.trails("invoice")["invoice", row["invoice_id"]]
    was = row["pdf_sha256"].hex()
    trail = [
        {**entry, "detail": entry["detail"].replace(was, digest.hex())}
        if entry["sequence"] == row["copy"] + 2
        else entry
        for entry in entries
    ]
    return with_entries(books, entries, chained(trail))


FORGERIES: Final[dict[str, Forgery]] = {
    forgery.__name__: forgery
    for forgery in (
        hashes_one_entry_again,
        hashes_the_rest_again,
        forges_an_entry,
        takes_an_entry_out,
        settles_a_bill_with_fewer_credits,
        changes_a_digit,
        changes_a_digit_and_its_hash,
        forges_all_but_the_signature,
        signs_with_another_key,
        swaps_two_signatures,
        flips_a_bit_of_a_pdf,
        cuts_or_extends_a_pdf,
        swaps_two_pdfs,
        draws_another_pdf,
        hands_out_the_pdf_of_another_invoice,
    )
}
