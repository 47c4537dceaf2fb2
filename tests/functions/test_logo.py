"""A hotel's logo: told once, kept as pixels, printed on what is issued from then on (INV-4)."""

import base64
import hashlib
import json
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, PngImagePlugin
from pypdf import PdfReader

from tests.hotel import Hotel
from tests.proofs import assert_books_are_right, state

SETTINGS = "on_tenant_settings_updated"


def picture(colour: str, size: tuple[int, int] = (60, 20), kind: str = "PNG") -> bytes:
    """A plain picture with a place in what it says beside its pixels."""
    drawn, said = BytesIO(), PngImagePlugin.PngInfo()
    said.add_text("Comment", "Kabul, 34.5 N")
    Image.new("RGB", size, colour).save(drawn, kind, **({"pnginfo": said} if kind == "PNG" else {}))
    return drawn.getvalue()


def uri(content: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def settings(hotel: Hotel, **changes: Any) -> dict[str, Any]:
    document = hotel.settings(**changes)
    del document["taxRules"]
    return document


def issued(hotel: Hotel) -> tuple[str, dict[str, Any]]:
    """A closed folio's invoice, and its payload."""
    _, invoice_id = hotel.closed_folio()
    return invoice_id, json.loads(
        hotel.rows("SELECT payload FROM {s}.invoices ORDER BY issued_at DESC LIMIT 1")[0][0]
    )


def pictures(hotel: Hotel) -> list[list[tuple[int, int]]]:
    """The sizes of the pictures in each copy of the one invoice, the QR code's left out."""
    found = []
    for (name,) in hotel.rows("SELECT object_name FROM {s}.invoice_renditions ORDER BY copy"):
        stored = hotel.house.wiring.documents.get(hotel.tenant_id, name)
        sizes = [each.image.size for each in PdfReader(BytesIO(stored)).pages[0].images]
        found.append([size for size in sizes if size[0] != size[1]])
    return found


@pytest.mark.req("INV-4")
def test_is_printed_with_the_invoice_that_names_it_whatever_comes_later(hotel: Hotel) -> None:
    hotel.deliver(SETTINGS, settings(hotel, logo=uri(picture("navy"))))
    invoice_id, payload = issued(hotel)
    hotel.deliver(SETTINGS, settings(hotel, logo=uri(picture("red", (50, 10)))))
    hotel.render(invoice_id)
    again = hotel.post(f"/invoices/{invoice_id}/regenerate")

    assert hotel.letters() == []
    assert again.status_code == 201, again.text
    digest = payload["issuer"]["logoSha256"]
    kept = hotel.house.wiring.documents.get(hotel.tenant_id, f"logos/{digest}.png")
    assert hashlib.sha256(kept).hexdigest() == digest
    assert b"34.5" not in kept
    assert Image.open(BytesIO(kept)).convert("RGB").getpixel((5, 5)) == (0, 0, 128)
    assert pictures(hotel) == [[(60, 20)], [(60, 20)]]
    assert_books_are_right(hotel)


@pytest.mark.req("INV-4", "EVT-3")
def test_goes_with_settings_that_have_none_and_comes_once_however_often_told(hotel: Hotel) -> None:
    told = settings(hotel, logo=uri(picture("navy", kind="JPEG"), "jpeg"))
    for _ in range(2):
        assert hotel.deliver(SETTINGS, told, event_id="evt_same").status_code == 204
    versions = hotel.rows("SELECT count(*) FROM {s}.settings_versions")
    _, with_logo = issued(hotel)

    hotel.deliver(SETTINGS, settings(hotel))

    assert versions == [[2]]
    assert "logoSha256" in with_logo["issuer"]
    assert "logoSha256" not in issued(hotel)[1]["issuer"]


@pytest.mark.req("INV-4", "EVT-5")
@pytest.mark.parametrize(
    "logo",
    [
        uri(b""),
        uri(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "svg+xml"),
        uri(b"\x89PNG\r\n\x1a\n" + b"\x00" * 40),
        uri(picture("navy"), "jpeg"),
        uri(picture("navy", (2001, 2))),
        uri(picture("navy") + b"\x00" * 128 * 1024),
        "data:image/png;base64,AAAA=AAA",
        "https://hotel.example.com/logo.png",
    ],
    ids=["empty", "svg", "cut", "another kind", "wide", "long", "no base64", "a link"],
)
def test_refuses_what_is_no_small_picture_and_changes_nothing(hotel: Hotel, logo: str) -> None:
    before = state(hotel)

    hotel.deliver(SETTINGS, settings(hotel, logo=logo))

    (letter,) = hotel.letters()
    assert "VALIDATION_FAILED" in letter
    assert state(hotel, without=("dead_letters",)) == {
        name: rows for name, rows in before.items() if name != "dead_letters"
    }


@pytest.mark.req("INV-4", "INV-6")
def test_waits_for_a_logo_that_the_store_has_lost(hotel: Hotel) -> None:
    hotel.write_settings(logoSha256="ab" * 32)
    invoice_id, _ = issued(hotel)

    hotel.render(invoice_id)

    assert hotel.rows("SELECT count(*) FROM {s}.invoice_renditions") == [[0]]
    ((error,),) = hotel.rows("SELECT last_error FROM {s}.render_queue")
    assert error == "the store has no logo of the issuer's hash"
