"""The verifier's third part: what the rows of prepaid credits must say, told again from the trails.

Every movement of an account stands in the detail of an entry of its trail, whose hash covers it.
What an account has, how each movement is booked, and what each entry leaves follow from these. A
bill that credits settled is told of twice: by the folio and by the account. Neither of the two can
be written anew without the other.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from tests.trust.forgery.retelling import told_in

Row = dict[str, Any]
CREDITED: Final = ("credit_accounts", "credit_ledger_entries", "credit_book_entries")
SUMS: Final = {"balanceMicro": "amount_micro", "heldMicro": "held_micro", "debtMicro": "debt_micro"}
UNREASONED: Final = frozenset(
    {"debt_paid", "expire", "spend", "usage", "hold", "capture", "release", "redeem"}
)
"""Whose reason is that of the service which spends, or the clock's."""
BESIDE: Final = {"transfer_out": "toAccount", "transfer_in": "fromAccount"}
ENTRY: Final = {
    "id": "entryId",
    "sequence": "sequence",
    "kind": "kind",
    "amount_micro": "amountMicro",
    "held_micro": "heldMicro",
    "debt_micro": "debtMicro",
    "metered_micro": "meteredMicro",
    "service": "service",
    "reference": "externalReference",
    "hold_id": "holdId",
}


def retold_credits(
    account_id: str, entries: list[Row], ids: dict[str, str]
) -> dict[str, list[Row]]:
    """The rows that an account's trail tells of; `ids` are the accounts by their names.

    Raises ValueError where a detail says that there is another sum than its movements come to.
    """
    told: dict[str, list[Row]] = defaultdict(list)
    name = told_in(entries[0])["account"]
    sums = dict.fromkeys(SUMS.values(), 0)
    for entry in entries:
        detail = told_in(entry)
        of = {"recorded_at": entry["recorded_at"], "occurred_at": entry["occurred_at"]}
        for moved in detail["entries"]:
            row = {column: moved[said] for column, said in ENTRY.items()}
            sums = {column: sums[column] + row[column] for column in sums}
            other = ids[detail[BESIDE[row["kind"]]]] if row["kind"] in BESIDE else None
            row |= {"account_id": account_id, "balance_micro": sums["amount_micro"]}
            row |= {"counterpart": other, "actor": entry["actor"]}
            row["reason"] = None if row["kind"] in UNREASONED else entry["reason"]
            told["credit_ledger_entries"].append({**row, **of})
            told["credit_book_entries"] += [{**booked, **of} for booked in _booked(row)]
        left = {said: sums[column] for said, column in SUMS.items()}
        if (detail["accountId"], detail["account"]) != (account_id, name) or left != {
            said: detail[said] for said in SUMS
        }:
            raise ValueError(f"{entry['id']}: {account_id} is told of as having something else")
    told["credit_accounts"].append({
        "id": account_id,
        "name": name,
        "balance_micro": sums["amount_micro"],
        "held_micro": sums["held_micro"],
        "debt_micro": sums["debt_micro"],
        "last_entry": len(told["credit_ledger_entries"]),
        "opened_at": entries[0]["occurred_at"],
    })  # fmt: skip
    return told


def is_empty(account: Row) -> bool:
    """Whether nothing ever moved on it: it was opened for a purchase that was declined."""
    sums = ("version", "last_entry", "balance_micro", "held_micro", "debt_micro")
    return not any(account[column] for column in sums)


def left_by(entry: Row, last: int) -> Row:
    """The state that an entry of an account's trail leaves; `last` is its newest movement."""
    detail = told_in(entry)
    state = {"id": detail["accountId"], "name": detail["account"], "lastEntry": last}
    return state | {said: detail[said] for said in SUMS}


def last_moved(entry: Row, before: int) -> int:
    """The number of the newest movement once an entry is written."""
    return before + len(told_in(entry)["entries"])


def redeemed(payments: list[Row]) -> Iterator[Row]:
    """The movement that each payment by credits must have made of its account."""
    for paid in payments:
        if paid["method"] == "credits":
            yield {
                "reference": paid["id"],
                "kind": "redeem",
                "account_id": paid["credit_account_id"],
                "amount_micro": -paid["credits_micro"],
                "service": "folio",
                "occurred_at": paid["occurred_at"],
            }


def restored(payments: list[Row], refunds: list[Row]) -> Iterator[Row]:
    """What each refund of such a payment must have brought back, at the payment's own rate."""
    by_id = {paid["id"]: paid for paid in payments}
    for refund in refunds:
        paid = by_id[refund["payment_id"]]
        if paid["method"] == "credits":
            rate = paid["credits_micro"] // paid["paid_amount_micro"]
            yield {
                "reference": refund["id"],
                "kind": "restore",
                "account_id": paid["credit_account_id"],
                "amount_micro": refund["paid_amount_micro"] * rate,
                "service": "folio",
                "occurred_at": refund["occurred_at"],
            }


def names_of(trails: dict[tuple[str, str], list[Row]]) -> dict[str, str]:
    """The accounts of a tenant by their names, as their trails begin."""
    return {told_in(entries[0])["account"]: name for (_, name), entries in trails.items()}


def _booked(row: Row) -> Iterator[Row]:
    """How a movement is booked: a positive sum, from the credited account to the debited one."""
    mine, owed = f"outstanding:{row['account_id']}", f"debt:{row['account_id']}"
    moved, owing = row["amount_micro"], row["debt_micro"]
    pairs = {
        "grant": [("issued", mine, moved)],
        "spend": [(mine, "spent", -moved)],
        "capture": [(mine, "spent", -moved)],
        "expire": [(mine, "expired", -moved)],
        "transfer_out": [(mine, f"outstanding:{row['counterpart']}", -moved)],
        "claw_back": [(mine, "clawed_back", -moved), (owed, "clawed_back", owing)],
        "give_back": [("clawed_back", mine, moved), ("clawed_back", owed, -owing)],
        "debt_paid": [(mine, owed, -moved)],
        "debt_waived": [("waived", owed, -owing)],
        "redeem": [(mine, "owed_to_house", -moved)],
        "restore": [("owed_to_house", mine, moved)],
    }.get(row["kind"], [])
    for part, (debit, credit, micro) in enumerate(pairs):
        if micro:
            accounts = {"debit_account": debit, "credit_account": credit, "amount_micro": micro}
            yield {"entry_id": row["id"], "part": part, **accounts}
