"""Drills about keys, secrets and what is drawn with them: changed without a failed request."""

import json
import shutil
from dataclasses import replace
from secrets import token_hex
from typing import Any
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key
from werkzeug.test import TestResponse

from common.local.origin_key import trial_key
from common.local.secrets import SecretFiles
from tests.drills.drill import Drill, DrillOf, summary
from tests.hotel import Hotel, usd
from tests.paying import a_card, a_customer, an_intent, confirm
from tests.proofs import assert_refused
from tests.scenarios.test_keys_command import issued_for
from tests.trialing import Somebody, try_out
from tests.webhooks import Webhook, captured

pytestmark = pytest.mark.req("OPS-3", "INV-3")
SECRET = "projects/laptop/secrets/billing-webhook-secrets"
A_DAY = 86_400 + 60


def drawn(drill: Drill) -> str:
    """An invoice that was issued and drawn."""
    _, invoice = drill.hotel.closed_folio()
    drill.drains()
    assert drill.hotel.get(f"/invoices/{invoice}/pdf").status_code == 302
    return invoice


def verified(hotel: Hotel, invoice: str) -> dict[str, Any]:
    """What anybody is told about it who has the paper in hand."""
    shown = hotel.get(f"/invoices/{invoice}").json
    paper = {"tenant": str(hotel.tenant_id), "hash": shown["payloadSha256"]}
    answer = hotel.get(f"/invoices/{invoice}/verify", token=None, **paper)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def signed_by(hotel: Hotel, invoice: str) -> str:
    """The key version that signed it."""
    version: str = hotel.get(f"/invoices/{invoice}").json["signature"]["keyVersion"]
    return version


@pytest.mark.req("GW-2")
def test_a_signing_key_is_changed(drill_of: DrillOf) -> None:
    """The first version, then a second, then one with an authority's certificate: all verify."""
    drill = drill_of("key_rotation")
    hotel, tenant = drill.hotel, str(drill.hotel.tenant_id)
    card = a_card(hotel, customer := a_customer(hotel))
    first = drawn(drill)
    drill.first_five_minutes()

    drill.page.says("gcloud kms keys versions create")
    version = drill.house.wiring.keys.rotate(drill.hotel.tenant_id)  # type: ignore[attr-defined]
    second = drawn(drill)
    asked = drill.run("billing keys request TENANT", put={"TENANT": tenant})
    pem = issued_for(x509.load_pem_x509_csr(asked.stdout.encode())).decode().strip()
    put = {"TENANT": tenant, '"$(<FILE.pem)"': pem}
    kept = drill.run('billing keys certificate TENANT --pem "$(<FILE.pem)"', put=put)
    published = drill.run("billing keys public TENANT", put={"TENANT": tenant})
    third = drawn(drill)

    assert version in kept.stdout
    known = load_der_public_key(drill.house.wiring.keys.public_key(drill.hotel.tenant_id, version))
    assert load_pem_public_key(published.stdout.encode()) == known
    assert [signed_by(hotel, each) == version for each in (first, second, third)] == [0, 1, 1]
    assert all(verified(hotel, each)["valid"] for each in (first, second, third))

    drill.waits(A_DAY)
    rewrap = "billing job run rewrap_data_keys --tenant TENANT"
    assert summary(drill.run(rewrap, put={"TENANT": tenant}))["done"] == 1
    folio = hotel.open_folio()
    hotel.charged(folio)
    paid = confirm(hotel, an_intent(hotel, folio, usd(11_000), customer), card)
    assert paid.json["status"] == "succeeded", paid.text
    drill.is_over()


def test_a_document_cannot_be_drawn(drill_of: DrillOf) -> None:
    """The tenant has no bucket: what is issued waits, and is drawn once there is one."""
    drill = drill_of("invoice_render_failed")
    hotel = drill.hotel
    folder = drill.stack.folder / "documents" / hotel.tenant_id.hex
    folder.parent.mkdir(exist_ok=True)
    folder.write_bytes(b"")
    _, invoice = hotel.closed_folio()

    assert hotel.render(invoice).status_code >= 500, "the event comes again"
    assert drill.goes_off("invoice_not_rendered")
    assert hotel.get(f"/invoices/{invoice}/pdf").status_code == 409
    drill.waits(600)
    typed = drill.first_five_minutes()
    assert summary(typed["billing job run render_invoice_backlog --dry-run"])["due"] == 1
    folder.unlink()
    drill.run("billing job run render_invoice_backlog")
    assert hotel.get(f"/invoices/{invoice}/pdf").status_code == 302
    assert verified(hotel, invoice)["valid"]
    drill.is_over()


@pytest.mark.req("GW-4", "SUB-10")
def test_a_secret_is_in_the_wrong_hands(drill_of: DrillOf) -> None:
    """Rolled at the processor, which signs by both for a while; no webhook is turned away. Then the
    key by which who had a trial is known.

    The secret is read anew at each webhook here, and not once in five minutes.
    """
    drill = drill_of("secret_leaked")
    secrets = drill.stack.folder / "secrets"
    secrets.mkdir()
    file = secrets / SECRET.rpartition("/")[2]
    old, new = f"whsec_{uuid4().hex}", f"whsec_{uuid4().hex}"
    file.write_text(old)
    house = drill.house.beside(
        powers={"secrets": SecretFiles(secrets)}, stripe_webhook_secrets_name=SECRET
    )
    webhook = Webhook(Hotel(house, drill.hotel.tenant_id, drill.hotel.property_id))

    folio = drill.hotel.open_folio()

    def answers(secret: str) -> int:
        content = json.dumps(captured(drill.hotel, folio, 100)).encode()
        return webhook.post(content, webhook.signed(content, secret=secret)).status_code

    assert (answers(old), answers(new)) == (200, 400)
    drill.first_five_minutes()
    drill.page.says("write a version with the new one and the old one, a comma between")
    file.write_text(f"{new},{old}")
    assert (answers(old), answers(new)) == (200, 200)
    drill.page.says("once the old one has ended, write one without it")
    file.write_text(new)
    assert (answers(old), answers(new)) == (400, 200), "who has the old one is nobody any more"
    drill.run("billing job run check_books")
    house.close()
    shutil.rmtree(secrets)
    _the_key_of_trials_is_changed(drill)
    drill.is_over()


def _the_key_of_trials_is_changed(drill: Drill) -> None:
    """In the place of the old one it lets nobody begin; beside it everybody is known."""
    who, other = Somebody(), drill.house.new_hotel()
    assert try_out(drill.hotel, who).status_code == 201
    first, new = trial_key(drill.stack.folder / "processor"), "2:" + token_hex(32)

    def answer(*keys: str) -> TestResponse:
        house = drill.house.beside(trial_keys=keys)
        tried = try_out(replace(other, house=house), Somebody(email=who.email))
        house.close()
        return tried

    assert_refused(answer(new), 503, "TRIALS_UNAVAILABLE")
    assert drill.goes_off("trials_unavailable")
    drill.page.says("write one that has them all")
    assert_refused(answer(new, first), 409, "TRIAL_NOT_OFFERED")
    drill.page.says("and refuses before")
    drill.run("billing trials drop-key 1", exits=1)
