"""The verifier's other half: what the rows of the books must say, told again from what is hashed.

Every entry of a trail has a detail, which its hash covers. What stands in the tables beside it
follows from the details by the rules of bookkeeping, which are written down here a second time: a
charge is owed by the guest and earned by the house, a payment the other way round; what a folio is
in credit by behind the lines of an entry is a deposit. An invoice's row is what its payload says.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

Row = dict[str, Any]
TABLES: Final = (
    "folios",
    "folio_lines",
    "payments",
    "refunds",
    "refund_settlements",
    "reopenings",
    "settlements",
    "ledger_entries",
)
REFUNDED: Final = ("refund", "refund_reversal")
GUEST: Final = "guest_ledger"
AHEAD: Final = "guest_deposits"
CLEARING: Final = {
    "bank_transfer": "bank_clearing",
    "card": "card_clearing",
    "cash": "cash_in_drawer",
    "city_ledger": "city_ledger",
    "credits": "credits_clearing",
    "mobile_money": "mobile_money_clearing",
    "voucher": "voucher_liability",
}
LINE: Final = {
    "id": "lineId",
    "sequence": "sequence",
    "type": "type",
    "kind": "kind",
    "charge_id": "chargeId",
    "corrects": "corrects",
    "moved_from": "movedFrom",
    "untaxed": "untaxed",
    "tax.code": "taxCode",
}


def retold(folio_id: str, entries: list[Row]) -> dict[str, list[Row]]:
    """The rows of each table that a folio's trail tells of, in the columns that it tells."""
    told: dict[str, list[Row]] = defaultdict(list)
    opened = told_in(entries[0])
    house, ahead = UUID(opened["propertyId"]), 0
    for entry in entries:
        detail = told_in(entry)
        of = {"folio_id": folio_id, "recorded_at": entry["recorded_at"]}
        of["occurred_at"] = entry["occurred_at"]
        for line in detail.get("lines", ()):
            of["business_date"] = date.fromisoformat(line["businessDate"])
            of_house = {**of, "property_id": house, "cash_session_id": None}
            of_house["company_account_id"] = None  # companies are not in these books
            told["ledger_entries"] += [{**each, **of_house} for each in _booked(line, detail)]
            told["folio_lines"].append({**_line(line, entry), **of})
        if detail.get("lines"):
            balance = sum(line["amount_micro"] for line in told["folio_lines"])
            more, ahead = max(0, -balance) - ahead, max(0, -balance)
            told["ledger_entries"] += [{**each, **of_house} for each in _paid_ahead(detail, more)]
        if entry["action"] == "payment.recorded":
            told["payments"].append({**_payment(detail), **of})
        if entry["action"] == "refund.recorded":
            told["refunds"].append({**_refund(detail, entry), **of})
        if entry["action"] in ("refund.recorded", "refund.settled"):
            told["refund_settlements"] += _became(detail, entry)
        if entry["action"] == "folio.closed":
            told["settlements"].append(_settlement(detail, entry, folio_id))
        if entry["action"] == "folio.reopened":
            told["reopenings"].append(_reopening(detail, entry, folio_id))
    for payment in told["payments"]:
        payment |= _given_back(payment["id"], told)
    *_, turned = [{"action": "", "occurred_at": None}] + [
        entry for entry in entries if entry["action"] in ("folio.closed", "folio.reopened")
    ]
    is_closed = turned["action"] == "folio.closed"
    told["folios"].append({
        "id": folio_id,
        "property_id": house,
        "currency": opened["currency"],
        "reservation_id": opened["reservationId"],
        "window_name": opened["window"],
        "business_date": date.fromisoformat(opened["businessDate"]),
        "opened_at": entries[0]["occurred_at"],
        "closed_at": turned["occurred_at"] if is_closed else None,
        "status": "closed" if is_closed else "open",
        "balance_micro": sum(line["amount_micro"] for line in told["folio_lines"]),
        "last_line": len(told["folio_lines"]),
        "pending_refunds": len(told["refunds"]) - len(told["refund_settlements"]),
        "reopened": len(told["reopenings"]),
        "billed_to": told["reopenings"][-1]["billed_to"] if told["reopenings"] else 0,
        "deposits_micro": ahead,
    })  # fmt: skip
    return told


def said_by(paper: Row, hashed: bytes) -> Row:
    """An invoice's row, as its payload says it."""
    series, totals, previous = paper["series"], paper["totals"], paper["previousDocumentSha256"]
    return {
        "id": paper["invoiceId"],
        "folio_id": paper["folioId"],
        "property_id": UUID(paper["propertyId"]),
        "jurisdiction": series["jurisdiction"],
        "document_type": series["documentType"],
        "year": series["year"] or 0,
        "series_number": series["sequence"],
        "number": paper["number"],
        "currency": paper["currency"],
        "total_micro": totals["grossMicro"] + totals["roundingMicro"],
        "business_date": date.fromisoformat(paper["businessDate"]),
        "issued_at": datetime.fromisoformat(paper["issuedAt"]),
        "language": paper["language"],
        "payload_sha256": hashed,
        "previous_sha256": previous and _digest(previous),
    }


def told_in(entry: Row) -> Any:
    """What an entry tells. There is one spelling of it: blanks, or a key twice, are a change."""
    detail = json.loads(entry["detail"])
    if json.dumps(detail, separators=(",", ":"), ensure_ascii=False) != entry["detail"]:
        raise ValueError(f"{entry['id']}: its detail is told in another spelling")
    return detail


def _digest(told: str) -> bytes:
    """A hash in small letters, as it is written; `fromhex` alone takes capitals and blanks too."""
    digest = bytes.fromhex(told)
    if digest.hex() != told:
        raise ValueError(f"{told}: a hash in another spelling")
    return digest


def issued_by(entry: Row) -> Row:
    """An invoice's row as the first entry of its trail tells of it."""
    detail = told_in(entry)
    issued_at = datetime.fromisoformat(detail["issuedAt"])
    if issued_at.isoformat() != detail["issuedAt"].replace("Z", "+00:00"):
        raise ValueError(f"{detail['invoiceId']}: its time is told in another spelling")
    return {
        "id": detail["invoiceId"],
        "folio_id": detail["folioId"],
        "property_id": UUID(detail["propertyId"]),
        "number": detail["number"],
        "document_type": detail["documentType"],
        "total_micro": detail["total"]["amountMicro"],
        "currency": detail["total"]["currency"],
        "payload_sha256": _digest(detail["payloadSha256"]),
        "issued_at": issued_at,
    }


def rendition_of(detail: Row, copy: int, paper: Row) -> Row:
    """A PDF's row as an entry tells of it; its name is made of the invoice, the copy, the hash."""
    name, digest = paper["invoiceId"], detail["pdfSha256"]
    told = detail["invoiceId"], detail["number"], detail["copyNumber"]
    if told != (name, paper["number"], copy):
        raise ValueError(f"{name}: copy {copy} is told of as another one")
    return {
        "invoice_id": name,
        "copy": copy,
        "language": paper["language"],
        "template_version": detail["templateVersion"],
        "object_name": f"invoices/{name}/{copy}-{digest[:16]}.pdf",
        "pdf_sha256": _digest(digest),
    }


def printed_as(line: Row, row: Row, language: str) -> bool:
    """Whether a line of an invoice reads as on the folio; an adjustment is one piece on paper."""
    text, counted = row["description"], (line["quantity"], line["unitAmountMicro"])
    tags = (language, language.split("-")[0], "und", *text)
    worded = next(text[tag] for tag in tags if text.get(tag))
    adjusts = row["type"] == "adjustment"
    return (worded, row["settings_version"]) == (line["description"], line["settingsVersion"]) and (
        (row["quantity"], row["unit_amount_micro"]) == ((None, None) if adjusts else counted)
    )


def _line(line: Row, entry: Row) -> Row:
    told = {column: line[name] for column, name in LINE.items()} | _sum(line["amount"])
    told["service_date"] = line["serviceDate"] and date.fromisoformat(line["serviceDate"])
    return {**told, "actor": entry["actor"], "reason": entry["reason"]}


def _payment(detail: Row) -> Row:
    paid = {f"paid_{column}": value for column, value in _sum(detail["paid"]).items()}
    told = {"id": detail["paymentId"], "method": detail["method"], **_sum(detail["amount"]), **paid}
    told["company_account_id"] = detail["companyAccountId"]
    told["credit_account_id"] = detail["creditAccountId"]
    told["credits_micro"] = detail["creditsMicro"]
    return told if told["method"] == "cash" else {**told, "cash_session_id": None}


def _refund(detail: Row, entry: Row) -> Row:
    paid = {f"paid_{column}": value for column, value in _sum(detail["paid"]).items()}
    told = {"id": detail["refundId"], "payment_id": detail["paymentId"], **paid}
    told |= {"method": detail["method"], **_sum(detail["amount"]), "reason": entry["reason"]}
    signed = {name: entry[name] for name in ("step_up_token_id", "assertion_hash")}
    told |= {"confirmed_by": entry["actor"] if signed["step_up_token_id"] else None, **signed}
    return told if told["method"] == "cash" else {**told, "cash_session_id": None}


def _reopening(detail: Row, entry: Row, folio_id: str) -> Row:
    signed = {name: entry[name] for name in ("step_up_token_id", "assertion_hash")}
    told = {"folio_id": folio_id, "number": detail["reopened"], "billed_to": detail["billedTo"]}
    return told | {"reopened_by": entry["actor"], "reopened_at": entry["occurred_at"], **signed}


def _became(detail: Row, entry: Row) -> list[Row]:
    """What became of a refund, when something has."""
    if detail["status"] == "pending":
        return []
    told = {"refund_id": detail["refundId"], "status": detail["status"]}
    told |= {"failure_code": detail.get("failureCode"), "settled_at": entry["occurred_at"]}
    return [told]


def _given_back(payment_id: str, told: dict[str, list[Row]]) -> Row:
    """How much of a payment was given back, or is promised: all but what failed."""
    failed = {row["refund_id"] for row in told["refund_settlements"] if row["status"] == "failed"}
    of = [row for row in told["refunds"] if row["payment_id"] == payment_id]
    stands = [row for row in of if row["id"] not in failed]
    return {
        "refunded_micro": sum(row["amount_micro"] for row in stands),
        "refunded_paid_micro": sum(row["paid_amount_micro"] for row in stands),
    }


def _settlement(detail: Row, entry: Row, folio_id: str) -> Row:
    return {
        "id": detail["settlementId"],
        "folio_id": folio_id,
        "charges_micro": detail["charges"]["amountMicro"],
        "payments_micro": detail["payments"]["amountMicro"],
        "residual_micro": detail["residual"]["amountMicro"],
        "currency": detail["residual"]["currency"],
        "settled_at": entry["occurred_at"],
    }


def _booked(line: Row, detail: Row) -> Iterator[Row]:
    """The ledger entries of a line: a positive sum, from the credited to the debited account."""
    for part, (debit, credit, amount) in enumerate(_movements(line, detail)):
        moved = _sum(amount)
        if moved["amount_micro"] < 0:
            debit, credit = credit, debit
            moved["amount_micro"] = -moved["amount_micro"]
        if moved["amount_micro"]:
            accounts = {"debit_account": debit, "credit_account": credit}
            yield {"source": line["lineId"], "part": part, **accounts, **moved}


def _paid_ahead(detail: Row, more: int) -> Iterator[Row]:
    """What the last line of an entry brings over: so much more of a deposit, or so much less."""
    if more:
        debit, credit = (GUEST, AHEAD) if more > 0 else (AHEAD, GUEST)
        accounts = {"debit_account": debit, "credit_account": credit, "amount_micro": abs(more)}
        last = detail["lines"][-1]
        yield {"source": last["lineId"], "part": 2, **accounts} | {
            "currency": last["amount"]["currency"]
        }


def _movements(line: Row, detail: Row) -> list[tuple[str, str, Row]]:
    """Debited account, credited account and signed amount of everything that a line books."""
    if line["type"] in ("payment", *REFUNDED):
        clearing, worth, paid = CLEARING[detail["method"]], detail["amount"], detail["paid"]
        if line["type"] == "refund":
            worth, paid = _negative(worth), _negative(paid)
        if paid["currency"] == worth["currency"]:
            return [(clearing, GUEST, worth)]
        return [(clearing, "fx_clearing", paid), ("fx_clearing", GUEST, worth)]
    if line["type"] == "deposit_transfer":
        return [(GUEST, "deposits_in_transit", line["amount"])]
    if line["type"] == "rounding":
        return [(GUEST, "rounding", line["amount"])]
    if line["taxCode"] is not None:
        return [(GUEST, f"tax_payable:{line['taxCode']}", line["amount"])]
    return [(GUEST, f"revenue:{line['kind']}", line["amount"])]


def _negative(amount: Row) -> Row:
    return {**amount, "amountMicro": -amount["amountMicro"]}


def _sum(amount: Row) -> Row:
    return {"amount_micro": amount["amountMicro"], "currency": amount["currency"]}
