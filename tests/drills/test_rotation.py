"""Keys and secrets are changed while everybody is at work: no call fails, all stays readable.

Five clients go at once, each through the whole of the service: a desk whose invoices are signed, a
cashier whose cards are sealed and opened, the processor with its webhooks, somebody who keeps an
access token for as long as it lives, and people who try the house, each once. In each round all of
them begin at one barrier, and what is changed is changed while they are at it.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any
from uuid import uuid4

import pytest

from common.google.asking import RETRY
from common.google.keys import LOOK_AGAIN_SECONDS, CloudKeys
from common.google.wrapping import CloudWrapping
from common.local.identity import LocalIdentity
from common.local.origin_key import trial_key
from common.local.secrets import SecretFiles
from common.runtime.kept_secrets import KEPT_SECONDS, KeptSecrets
from common.runtime.vault import REMEMBERED_SECONDS, EnvelopeVault
from jobs.rewrap_data_keys import rewrap_data_keys
from tests.adapters.kms_stand_in import KmsStandIn, State, kms_served
from tests.drills.drill import Drill, DrillOf
from tests.drills.test_keys import A_DAY, SECRET, signed_by, verified
from tests.hotel import Hotel, House, usd
from tests.paying import a_card, a_customer, an_intent, confirm, run_job
from tests.proofs import assert_refused
from tests.together import at_once
from tests.trialing import Somebody, try_out
from tests.webhooks import Webhook, captured, paid_cents, signature

pytestmark = pytest.mark.req("OPS-3", "INV-3", "GW-2", "GW-4", "SEC-1", "SUB-10")
KEYRING = "projects/hotels/locations/europe-west1/keyRings/billing"


@dataclass
class Keepers:
    """Who keeps keys and secrets, and a clock by which the service remembers what they said."""

    kms: KmsStandIn
    secret: Path
    identity: LocalIdentity
    processor_signs_by: tuple[str, ...]
    trials_at: tuple[House, ...]
    seconds: float = 0.0

    def forget(self) -> None:
        """So much time passes that nothing that was remembered is believed any more."""
        self.seconds += max(KEPT_SECONDS, REMEMBERED_SECONDS, LOOK_AGAIN_SECONDS) + 1

    def add_versions(self, hotel: Hotel) -> None:
        for kind in ("invoice", "data"):
            self.kms.add_version(_key(kind, hotel))

    def destroy(self, kind: str, hotel: Hotel, number: int) -> None:
        self.kms.keys[_key(kind, hotel)][number - 1].state = State.DESTROYED


def _key(kind: str, hotel: Hotel) -> str:
    return f"{KEYRING}/cryptoKeys/{kind}-{hotel.tenant_id.hex}"


def _at(house: House, hotel: Hotel) -> Hotel:
    return Hotel(house, hotel.tenant_id, hotel.property_id)


@contextmanager
def kept_elsewhere(drill: Drill, folder: Path) -> Iterator[tuple[Hotel, Keepers]]:
    """The hotel at an instance of the service that asks Google's clients for its keys."""
    secret = folder / SECRET.rpartition("/")[2]
    old = f"whsec_{uuid4().hex}"
    secret.write_text(old)
    issuer, now = drill.house.wiring.settings.token_issuer, drill.house.wiring.clock.now
    identity = LocalIdentity(folder / "identity", issuer=issuer, clock=now)
    keepers = Keepers(KmsStandIn(), secret, identity, (old,), (drill.house,))
    keepers.add_versions(drill.hotel)
    with kms_served(keepers.kms) as client:
        retry = RETRY.with_delay(0.001)
        powers: dict[str, Any] = {
            "keys": CloudKeys(KEYRING, client, lambda: keepers.seconds, retry),
            "vault": EnvelopeVault(CloudWrapping(KEYRING, client, retry), lambda: keepers.seconds),
            "secrets": KeptSecrets(
                SecretFiles(folder), on_trouble=pytest.fail, clock=lambda: keepers.seconds
            ),
        }
        house: House = drill.house.beside(
            powers=powers, identity=identity, stripe_webhook_secrets_name=SECRET
        )
        yield Hotel(house, drill.hotel.tenant_id, drill.hotel.property_id), keepers
        house.close()


@dataclass
class Everybody:
    """The clients, what each of them has made so far, and the token that one of them keeps."""

    hotel: Hotel
    keepers: Keepers
    customer: str = ""
    access: str = ""
    invoices: list[str] = field(default_factory=list)
    cards: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    tried: list[Somebody] = field(default_factory=list)

    def begin(self) -> None:
        """What there is before anything is changed."""
        self.customer = a_customer(self.hotel)
        self.folio = self.hotel.open_folio()
        self.log_in()
        self.newcomers = [self.hotel.house.new_hotel() for _ in range(4)]
        for client in (self.desk, self.cashier, self.processor, self.reader, self.owner):
            client()

    def log_in(self) -> None:
        self.access = self.hotel.token(sub="auditor")

    def desk(self) -> None:
        """An invoice is issued, signed, drawn, and verified by whoever has it in hand."""
        _, invoice = self.hotel.closed_folio()
        drawn = self.hotel.render(invoice)
        assert drawn.status_code < 300, drawn.text
        assert verified(self.hotel, invoice)["valid"]
        self.invoices.append(invoice)

    def cashier(self) -> None:
        """A card is sealed; a payment opens it, and the first one that was ever sealed."""
        self.cards.append(a_card(self.hotel, self.customer))
        for card in (self.cards[0], self.cards[-1]):
            self.pays(card)

    def pays(self, card: str) -> None:
        intent = an_intent(self.hotel, self.folio, usd(100), self.customer)
        paid = confirm(self.hotel, intent, card)
        assert paid.json["status"] == "succeeded", paid.text

    def processor(self) -> None:
        """Two webhooks, each signed by all that the processor signs by at the time."""
        webhook = Webhook(self.hotel)
        for _ in range(2):
            folio = self.hotel.open_folio()
            content = json.dumps(captured(self.hotel, folio, 100)).encode()
            at, secrets = webhook.now(), self.keepers.processor_signs_by
            signed = [f"v1={signature(content, each, at)}" for each in secrets]
            answer = webhook.post(content, ",".join([f"t={at}", *signed]))
            assert (answer.status_code, answer.json["outcome"]) == (200, "applied"), answer.text
            self.told.append(folio)

    def reader(self) -> None:
        """Three looks with the token that was given out some time ago."""
        for _ in range(3):
            answer = self.hotel.get(f"/folios/{self.folio}", token=self.access)
            assert answer.status_code == 200, answer.text

    def owner(self) -> None:
        """A hotel begins its trial at the newest revision, as long as there is one that has had
        none; at each that serves nobody gets a second one."""
        if self.newcomers:
            who = Somebody()
            answer = try_out(_at(self.keepers.trials_at[-1], self.newcomers.pop()), who)
            assert answer.status_code == 201, answer.text
            self.tried.append(who)
        self.have_had_theirs()

    def have_had_theirs(self) -> None:
        """The same mailboxes, by other accounts and on other devices."""
        for revision in self.keepers.trials_at:
            for who in self.tried:
                answer = try_out(_at(revision, self.hotel), Somebody(email=who.email))
                assert_refused(answer, 409, "TRIAL_NOT_OFFERED")

    def work_while(self, change: Callable[[], object]) -> None:
        """All go at once, and the change happens among them."""
        at_once([self.desk, self.cashier, self.processor, self.reader, self.owner, change])

    def can_be_read(self) -> None:
        """Nothing that was ever sealed, signed or told is lost."""
        assert all(verified(self.hotel, each)["valid"] for each in self.invoices)
        for card in self.cards:
            self.pays(card)
        assert [paid_cents(self.hotel, each) for each in self.told] == [100] * len(self.told)
        self.have_had_theirs()


def test_all_is_rotated_while_everybody_is_at_work(drill_of: DrillOf, tmp_path: Path) -> None:
    """New ones beside the old, then in use, then what the old have wrapped, then without the old.

    Five rounds and what was made before: six invoices, by the first version in at most three.
    """
    drill = drill_of("key_rotation")
    with kept_elsewhere(drill, tmp_path) as (hotel, keepers):
        everybody = Everybody(hotel, keepers)
        everybody.begin()
        drill.waits(A_DAY)
        everybody.log_in()
        (old,), new = keepers.processor_signs_by, f"whsec_{uuid4().hex}"
        first = trial_key(drill.stack.folder / "processor")
        again = drill.house.beside(trial_keys=("2:" + token_hex(32), first), rate_limits=False)

        def beside_the_old() -> None:
            keepers.processor_signs_by = (new, old)
            keepers.secret.write_text(f"{new},{old}")
            keepers.add_versions(hotel)
            keepers.identity.rotate()
            keepers.trials_at = (drill.house, again)

        def wrapped_anew() -> None:
            keepers.processor_signs_by = (new,)
            everybody.log_in()
            assert run_job(hotel, rewrap_data_keys).done == 1
            keepers.trials_at = (again,)

        def without_the_old() -> None:
            keepers.secret.write_text(new)
            keepers.destroy("data", hotel, 1)
            keepers.identity.retire()

        everybody.work_while(beside_the_old)
        everybody.work_while(keepers.forget)
        everybody.work_while(wrapped_anew)
        everybody.work_while(without_the_old)
        everybody.work_while(keepers.forget)

        everybody.can_be_read()
        versions = [signed_by(hotel, each)[-1] for each in everybody.invoices]
        assert versions == sorted(versions), "once the new one signs, no other does"
        assert versions[:1] + versions[3:] == ["1", "2", "2", "2"]
        assert _still_believed(hotel, old) == 400, "who has the old one is nobody any more"
        again.close()
    drill.is_sound()


def test_a_signing_version_is_disabled_under_their_hands(drill_of: DrillOf, tmp_path: Path) -> None:
    """Misused: it goes at once, and the desks that know no other one sign by the next."""
    drill = drill_of("key_rotation")
    with kept_elsewhere(drill, tmp_path) as (hotel, keepers):
        signs = hotel.house.wiring.keys.sign
        versions = keepers.kms.keys[_key("invoice", hotel)]
        known, disabled = threading.Barrier(4), threading.Barrier(4)

        def desk() -> str:
            first = signs(hotel.tenant_id, b"1" * 32).key_version
            known.wait(30)
            disabled.wait(30)
            second = signs(hotel.tenant_id, b"2" * 32).key_version
            return f"{first[-1]} {second[-1]}"

        def misused() -> str:
            known.wait(30)
            keepers.kms.add_version(_key("invoice", hotel))
            versions[0].state = State.DISABLED
            disabled.wait(30)
            return ""

        assert at_once([desk, desk, desk, misused])[:3] == ["1 2"] * 3
    drill.is_sound()


def _still_believed(hotel: Hotel, secret: str) -> int:
    webhook = Webhook(hotel)
    content = json.dumps(captured(hotel, hotel.open_folio(), 100)).encode()
    return webhook.post(content, webhook.signed(content, secret=secret)).status_code
