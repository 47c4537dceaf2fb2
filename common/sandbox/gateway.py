"""A processor for the laptop and for tests: no network, and cards that behave by their names.

The id of the processor's payment decides, as a test card's number does:

    sandbox_declined_...     the refund is refused for good
    sandbox_lost_...         it is done, and the answer is lost on its way
    sandbox_unreachable_...  the first request never arrives; later ones do
    anything else            it is done

What was done is a file of its own for each refund, written once and whole, beside the tenants'
books and not in them: a process that is killed has forgotten nothing, and the same key is answered
the same for ever.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from common.domain.identifiers import RefundId
from common.domain.money import Money
from common.ports.gateway import Answer, Failed, Succeeded, Unknown

DECLINED: Final = "sandbox_declined_"
LOST: Final = "sandbox_lost_"
UNREACHABLE: Final = "sandbox_unreachable_"
DECLINED_CODE: Final = "card_declined"

WriteOnce = Callable[[Path, bytes], bool]


class SandboxGateway:
    """The refunds of all tenants, in a folder; `write_once` puts a file there, or finds one."""

    def __init__(self, folder: Path, write_once: WriteOnce) -> None:
        self._folder = folder
        self._write_once = write_once

    def refund(self, refund_id: RefundId, processor_payment_id: str, amount: Money) -> Answer:
        """Give an amount back. Raises ValueError where the key was used for something else."""
        if processor_payment_id.startswith(UNREACHABLE) and self._is_first(refund_id):
            return Unknown()
        asked = {
            "payment": processor_payment_id,
            "amountMicro": amount.amount_micro,
            "currency": str(amount.currency),
            "failure": DECLINED_CODE if processor_payment_id.startswith(DECLINED) else None,
        }
        is_new = self._write_once(self._file(refund_id), json.dumps(asked).encode())
        if not is_new and self._done(refund_id) != asked:
            raise ValueError(f"{refund_id} was used for another refund")
        if is_new and processor_payment_id.startswith(LOST):
            return Unknown()
        return self.ask(refund_id)

    def ask(self, refund_id: RefundId) -> Answer:
        """What became of a refund; Unknown where there is none."""
        done = self._done(refund_id)
        if done is None:
            return Unknown()
        return Failed(done["failure"]) if done["failure"] else Succeeded()

    def _is_first(self, refund_id: RefundId) -> bool:
        return self._write_once(self._file(refund_id).with_suffix(".tried"), b"")

    def _done(self, refund_id: RefundId) -> dict[str, str | None] | None:
        try:
            found: dict[str, str | None] = json.loads(self._file(refund_id).read_bytes())
        except FileNotFoundError:
            return None
        return found

    def _file(self, refund_id: RefundId) -> Path:
        return self._folder / f"{refund_id}.json"
