"""An invoice of the platform is sealed by the platform's key, and anybody can tell (SUB-5)."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    load_der_public_key,
    load_pem_public_key,
)
from pyhanko.pdf_utils.reader import PdfFileReader
from typer.testing import CliRunner

import common.cli.keys
from common.cli.main import billing
from common.documents.sealing import read_seal
from common.domain.subscription_invoice import PLATFORM_ID
from common.local.development import LINKS_PATH
from tests.hotel import Hotel
from tests.platform_taxing import nobody_sells, publish
from tests.subscribing import change, subscribed
from tests.together import at_once

pytestmark = pytest.mark.req("SUB-5")


@pytest.fixture(autouse=True)
def a_seller(hotel: Hotel, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In Berlin; and the command asks this house."""
    monkeypatch.setattr(common.cli.keys, "_wiring", lambda: hotel.house.wiring)
    nobody_sells(hotel.house)
    publish(hotel)
    yield
    nobody_sells(hotel.house)


def pdf_of(hotel: Hotel, invoice: dict[str, Any]) -> bytes:
    """The file that the address of an invoice leads to."""
    path = f"/subscription-invoices/{invoice['invoiceId']}/pdf"
    answer = hotel.get(path, token=hotel.token("subscription.read"))
    assert answer.status_code == 302, answer.text
    wiring = hotel.house.wiring
    documents: Any = wiring.documents
    link = answer.headers["Location"].removeprefix(f"{wiring.public_url}{LINKS_PATH}/")
    return bytes(documents.open_link(link))


def published(*tenant: object) -> bytes:
    """The public key as the operator prints it: the platform's, or a tenant's."""
    printed = CliRunner().invoke(billing, ["keys", "public", *map(str, tenant)])
    assert printed.exit_code == 0, printed.output
    return printed.stdout.encode()


@pytest.fixture
def verified(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """What `billing invoice verify` says of a file, with what is given to hold it against."""

    def verify(pdf: bytes, payload: dict[str, Any] | None, key: bytes | None) -> dict[str, Any]:
        given = {"--payload": payload and json.dumps(payload).encode(), "--public-key": key}
        (tmp_path / "file.pdf").write_bytes(pdf)
        asked = ["invoice", "verify", str(tmp_path / "file.pdf"), "--json"]
        for option, content in given.items():
            if content is not None:
                (tmp_path / option).write_bytes(content)
                asked += [option, str(tmp_path / option)]
        said = CliRunner().invoke(billing, asked)
        if said.exit_code == 2:
            return {"valid": False}
        document: dict[str, Any] = json.loads(said.stdout)
        assert document["valid"] is (said.exit_code == 0)
        return document

    return verify


@pytest.mark.req("INV-5", "INV-8")
def test_it_is_sealed_in_the_sellers_name_and_verified_offline(
    hotel: Hotel, verified: Callable[..., dict[str, Any]]
) -> None:
    """By the published key, which is no hotel's; what GET answers is what the file says."""
    invoice = subscribed(hotel)["invoice"]

    pdf = pdf_of(hotel, invoice)

    key = published()
    seal = read_seal(pdf)
    assert seal is not None
    assert seal.holds
    assert load_der_public_key(seal.public_key) == load_pem_public_key(key)
    (signature,) = PdfFileReader(BytesIO(pdf)).embedded_signatures
    assert signature.signer_cert.subject.native["organization_name"] == "Melmastoon GmbH"
    said = verified(pdf, invoice, key)
    assert (said["payload"], said["seal"], said["valid"]) == ("is the PDF's", "valid", True)
    assert said["number"] == invoice["number"]
    assert verified(pdf, json.loads(invoice["payload"]), key)["valid"] is True
    assert verified(pdf, invoice, published(hotel.tenant_id))["seal"] == "broken"


@pytest.mark.req("REL-8")
def test_a_changed_byte_a_cut_and_an_added_one_are_found(
    hotel: Hotel, verified: Callable[..., dict[str, Any]]
) -> None:
    """Forty bytes, each for itself; the page without its seal, which ends where it was drawn; the
    seal of another invoice; another key of the platform's, which nobody has published."""
    first, second = subscribed(hotel)["invoice"], change(hotel, plan="team").json["invoice"]
    pdf, key = pdf_of(hotel, first), published()
    unsealed = pdf[: pdf.index(b"%%EOF") + 6]
    keys: Any = hotel.house.wiring.platform_keys
    keys.rotate(PLATFORM_ID)
    places = Random(20261130).sample(range(len(pdf) - 16), 40)
    changed = [pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :] for at in places]

    for each in (*changed, pdf[:-20], pdf + b"\n%%EOF\n", unsealed, pdf_of(hotel, second)):
        assert verified(each, first, key)["valid"] is False
    assert verified(pdf, second, key)["valid"] is False
    assert verified(pdf, first, published())["valid"] is False
    assert verified(pdf, first, key)["valid"] is True


def test_two_who_ask_at_once_get_one_file_which_stays(hotel: Hotel) -> None:
    """Whatever key signs afterwards: what was sealed by an old one holds by that."""
    invoice = subscribed(hotel)["invoice"]

    files = at_once([partial(pdf_of, hotel, invoice)] * 3)

    keys: Any = hotel.house.wiring.platform_keys
    old = keys.current(PLATFORM_ID)
    keys.rotate(PLATFORM_ID)
    assert {*files, pdf_of(hotel, invoice)} == {files[0]}
    seal = read_seal(files[0])
    assert seal is not None
    assert seal.public_key == keys.public_key(PLATFORM_ID, old)
    newer = read_seal(pdf_of(hotel, change(hotel, plan="team").json["invoice"]))
    assert newer is not None
    assert newer.public_key == keys.public_key(PLATFORM_ID, keys.current(PLATFORM_ID))


def test_before_a_seller_is_named_the_platform_signs_in_its_own_name(hotel: Hotel) -> None:
    nobody_sells(hotel.house)

    (signature,) = PdfFileReader(
        BytesIO(pdf_of(hotel, subscribed(hotel)["invoice"]))
    ).embedded_signatures

    named = signature.signer_cert.subject.native
    assert named == {"organization_name": "Melmastoon", "common_name": "Melmastoon"}
