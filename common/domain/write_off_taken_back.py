"""Taking a write-off back: the company owes again what was given up (FOL-10).

It pays after all; or its invoice is credited, or was left to somebody else. What was written off it
never paid: without this the house would owe the company that very amount. So the item is open again
and the bad debt is none any more, on the day on which it is taken back; the money, or the credit
note, then settles it as any other. Nothing is deleted: a row that is less than nothing names the
write-off that it takes back, as a whole and once, and says why.

An account that was closed is on hold then: it owes something.

What a person confirms is the SHA-256 of a canonical document (RFC 8785): `deed` is
`receivable.take_write_off_back`, then `tenant`, `account` and `writeOff`.
"""

from dataclasses import replace
from typing import Final
from uuid import UUID

from common.domain.canonical import digest
from common.domain.cash import Confirmed
from common.domain.company_account import AccountFact, AccountStatus, CompanyAccount
from common.domain.company_settling import BAD_DEBT
from common.domain.dataclass import dataclass
from common.domain.identifiers import CompanyAccountId, WriteOffId
from common.domain.ledger import Entry, owed_by
from common.domain.moment import Moment
from common.domain.receivable import Receivable, WriteOff, WriteOffTakenBackAlready

TAKING_BACK: Final = "receivable.take_write_off_back"


@dataclass(frozen=True, kw_only=True)
class WriteOffTakenBack(AccountFact):
    """What was given up is owed again; `write_off` is the row that takes it back."""

    name = "receivable.write_off_taken_back"
    write_off: WriteOff
    item: Receivable
    entries: tuple[Entry, ...]


def taking_back_sha256(
    tenant_id: UUID, account_id: CompanyAccountId, write_off_id: WriteOffId
) -> bytes:
    """What is confirmed by whoever takes a write-off back."""
    parts = {"deed": TAKING_BACK, "tenant": str(tenant_id), "account": str(account_id)}
    return digest({**parts, "writeOff": str(write_off_id)})


def take_write_off_back(
    account: CompanyAccount,
    given_up: WriteOff,
    item: Receivable,
    moment: Moment,
    *,
    id: WriteOffId,
    taken_back_already: bool,
    reason: str,
    confirmed: Confirmed,
) -> WriteOffTakenBack:
    """Let the company owe again what was given up of an item.

    Refuses: WriteOffTakenBackAlready (also what takes one back itself).
    """
    if taken_back_already or given_up.reverses is not None:
        raise WriteOffTakenBackAlready(writeOffId=given_up.id)
    if account.status is AccountStatus.CLOSED:
        account.status = AccountStatus.ON_HOLD
    on = moment.settings.property(account.property_id).business_date(moment.now)
    back = replace(
        given_up,
        id=id,
        amount=-given_up.amount,
        reason=reason,
        confirmed=confirmed,
        business_date=on,
        reverses=given_up.id,
    )
    account.open += given_up.amount
    return account.told(
        WriteOffTakenBack,
        write_off=back,
        item=item.less(back.amount),
        entries=(Entry(id, 0, owed_by(account.id), BAD_DEBT, given_up.amount, on),),
        reason=reason,
    )
