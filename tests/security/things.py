"""What stands in a hotel that is attacked: each thing is made when it is first asked for."""

from dataclasses import dataclass
from functools import cached_property
from uuid import uuid4

from tests.crediting import credits
from tests.hotel import Hotel, charge, usd
from tests.matching import difference
from tests.paying_out import LARGE, asked, enabled, held
from tests.reconciling import old_mismatch
from tests.security import credits as prepaid
from tests.security.debtors import Debtor
from tests.security.payers import Payer
from tests.security.subscribers import Subscribers
from tests.security.tills import Tills
from tests.signals import a_signal
from tests.webhooks import Webhook, captured


@dataclass(frozen=True)
class Left:
    """A guest who has left, with an invoice of one line, and a credit note over a part of it."""

    folio: str
    invoice: str
    payload_sha256: str
    line: str
    credit_note: str
    credited_sha256: str

    @classmethod
    def of(cls, hotel: Hotel) -> "Left":
        gone = hotel.open_folio()
        hotel.post(f"/folios/{gone}/charges", charge("minibar", 900))
        paid = {"method": "card", "amount": usd(990), "paymentId": f"pi-{uuid4()}"}
        hotel.post(f"/folios/{gone}/payments", paid, token=hotel.token(sub=f"cashier-{uuid4()}"))
        closed = hotel.post(f"/folios/{gone}/close")
        assert closed.status_code == 200, closed.text
        invoice = closed.json["invoiceId"]
        shown = hotel.get(f"/invoices/{invoice}").json
        line = shown["payload"]["lines"][0]["lineId"]
        note = credits(hotel, invoice, (line, usd(1))).json
        said = note["creditNoteId"], note["payloadSha256"]
        return cls(gone, invoice, shown["payloadSha256"], line, *said)


@dataclass
class Things:
    """The things of a hotel."""

    hotel: Hotel

    @cached_property
    def folio(self) -> str:
        """A guest in the house."""
        return self.hotel.open_folio(windows=["company"])

    @cached_property
    def charge(self) -> str:
        """A charge of that guest's."""
        posted = self.hotel.post(f"/folios/{self.folio}/charges", charge("room", 20_000)).json
        line: str = posted["lines"][0]["lineId"]
        return line

    @cached_property
    def left(self) -> Left:
        return Left.of(self.hotel)

    @cached_property
    def deposit(self) -> tuple[str, str]:
        """A folio, and what was paid ahead on it."""
        folio = self.hotel.open_folio()
        return folio, self.hotel.paid(folio, usd(9_000), allowCredit=True)

    @cached_property
    def shared(self) -> tuple[str, str]:
        """A folio, and a charge that may move."""
        folio = self.hotel.open_folio()
        return folio, self.hotel.charged(folio, "spa", 900_000)

    @cached_property
    def signal(self) -> str:
        return a_signal(self.hotel, actor=f"till-{uuid4()}")

    @cached_property
    def reconciliation(self) -> str:
        return old_mismatch(self.hotel)

    @cached_property
    def difference(self) -> str:
        return difference(self.hotel)

    @cached_property
    def payouts(self) -> tuple[str, str]:
        """Two large ones that wait for a second person, and money for a third."""
        enabled(self.hotel)
        held(self.hotel, 2 * LARGE + 100_000)
        return asked(self.hotel, LARGE), asked(self.hotel, LARGE)

    @cached_property
    def webhook(self) -> str:
        """An event of the processor that was taken in."""
        sent = captured(self.hotel, self.hotel.open_folio(), 1_000)
        assert Webhook(self.hotel).send(sent).status_code == 200
        event_id: str = sent["id"]
        return event_id

    @cached_property
    def tills(self) -> Tills:
        return Tills.of(self.hotel)

    @cached_property
    def debtor(self) -> Debtor:
        return Debtor.of(self.hotel)

    @cached_property
    def credits(self) -> prepaid.Credits:
        return prepaid.Credits.of(self.hotel)

    @cached_property
    def subscribers(self) -> Subscribers:
        return Subscribers.of(self.hotel)

    @cached_property
    def payer(self) -> Payer:
        return Payer.of(self.hotel, self.folio)
