"""Payouts at the sandbox. The account's id decides, as a test bank's number does:

sandbox_declined_...     the payout fails
sandbox_lost_...         it is paid, and the answer is lost on its way
sandbox_transit_...      it is under way, and nobody says more
anything else            it is paid
"""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from common.ports.answers import Answer, Failed, Succeeded, Unknown
from common.ports.payouts import PendingPayout
from common.sandbox.outage import unless_down

DECLINED: Final = "sandbox_declined_"
LOST: Final = "sandbox_lost_"
TRANSIT: Final = "sandbox_transit_"
DECLINED_CODE: Final = "account_closed"
WriteOnce = Callable[[Path, bytes], bool]


class SandboxPayouts:
    """The payouts of all tenants, in a folder."""

    _folder: Path
    _write_once: WriteOnce
    _now: Callable[[], datetime]

    @unless_down
    def pay_out(self, wanted: PendingPayout) -> Answer:
        """Pay an account. Raises ValueError where the key was used for something else."""
        asked = {
            "account": wanted.processor_account_id,
            "tenant": str(wanted.tenant_id),
            "amountMicro": wanted.amount.amount_micro,
            "currency": str(wanted.amount.currency),
        }
        made = json.dumps({**asked, "at": self._now().isoformat()}).encode()
        is_new = self._write_once(self._payout_file(wanted), made)
        if not asked.items() <= (self._made(wanted) or {}).items():
            raise ValueError(f"{wanted.id} was used for another payout")
        if is_new and wanted.processor_account_id.startswith(LOST):
            return Unknown()
        return _answer(wanted)

    @unless_down
    def ask_payout(self, wanted: PendingPayout) -> Answer | None:
        """What became of a payout; None where there is none."""
        return None if self._made(wanted) is None else _answer(wanted)

    def _made(self, wanted: PendingPayout) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(self._payout_file(wanted).read_bytes())
        except FileNotFoundError:
            return None
        return found

    def _payout_file(self, wanted: PendingPayout) -> Path:
        return self._folder / "payouts" / f"{wanted.id}.json"


def is_paid(account: str) -> bool:
    """Whether what is paid out to an account arrives there."""
    return not account.startswith((DECLINED, TRANSIT))


def _answer(wanted: PendingPayout) -> Answer:
    account = wanted.processor_account_id
    if account.startswith(DECLINED):
        return Failed(DECLINED_CODE)
    return Unknown() if account.startswith(TRANSIT) else Succeeded()
