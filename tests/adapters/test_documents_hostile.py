"""Text from people and the renderer's reach: nothing is injected, fetched or read from disk."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread

import pytest
from pypdf import PdfReader

from common.documents.drawing import RenderingFailed, draw
from tests.adapters.test_documents_sample import (
    VERIFY_URL,
    invoice,
    personal,
    rendered,
    without_spaces,
)

HOST = "127.0.0.1"
# A picture that a browser would show: 1 x 1 pixel, in a file below the working directory.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0"
    "000003010100c9fe92ef0000000049454e44ae426082"
)
HOSTILE = [
    '<img src="http://CANARY/img">',
    "<img src=http://CANARY/unquoted>",
    '"><img src="http://CANARY/breakout">',
    "'><img src='http://CANARY/breakout2'>",
    '<img src="//CANARY/protocol-relative">',
    '<img src="secret.png">',
    '<img src="../secret.png">',
    '<img src="file:///etc/hostname">',
    '<img src="/etc/hostname">',
    '<img src="NotoSans-Regular.ttf">',
    "<style>@import url(http://CANARY/css);</style>",
    "<style>p { background-image: url(http://CANARY/bg) }</style>",
    "<style>@font-face { font-family: x; src: url(http://CANARY/f.ttf) }</style>",
    "</style></head><body><h1>PAID</h1>",
    '<link rel="stylesheet" href="http://CANARY/link">',
    '<a href="http://CANARY/a">click</a>',
    "<script>fetch('http://CANARY/js')</script>",
    '<iframe src="http://CANARY/frame"></iframe>',
    '<object data="http://CANARY/object"></object>',
    '<embed src="http://CANARY/embed">',
    '<svg><image href="http://CANARY/svg"/></svg>',
    "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/hostname'>]>&e;",
    '<pdf:insertpdf src="http://CANARY/pdf"/>',
    '<pdf:font src="http://CANARY/font.ttf" name="x"/>',
    "<pdf:pagenumber/>",
    "<pdf:nextpage/>",
    '<pdf:barcode value="x" type="qr"/>',
    "</td></tr></table><table><tr><td>Balance due 0.00",
    "</div></body></html>",
    "<!-- Balance due",
    "<![CDATA[<b>bold</b>]]>",
    "&lt;img src=x&gt;",
    "&#60;b&#62;bold&#60;/b&#62;",
    "&nbsp;&copy;",
    "{{ 7 * 7 }} {{ page.lines }}",
    "{% include 'invoice-2.css' %}",
    "{# gone #}",
    '<font color="[[[getattr(pow,Word)]]]">x</font>',
    "javascript:app.alert(1)",
    ") Tj ET Q /URI (http://CANARY/raw) (",
    "%s %(x)s {0} ${7*7} #{7*7}",
    "'; DROP TABLE invoices; --",
]


@pytest.fixture
def canary() -> Iterator[tuple[str, list[str]]]:
    """A server on loopback that writes down who calls; nobody may."""
    calls: list[str] = []

    class Canary(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            calls.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(PIXEL)

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = HTTPServer((HOST, 0), Canary)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"{HOST}:{server.server_port}", calls
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.req("INV-4")
@pytest.mark.parametrize("text", HOSTILE)
def test_prints_hostile_text_as_text(
    text: str,
    canary: tuple[str, list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address, calls = canary
    text = text.replace("CANARY", address)
    (tmp_path / "secret.png").write_bytes(PIXEL)
    monkeypatch.chdir(tmp_path)
    hostile = invoice(number=text, folioId=text, reservationId=text)
    hostile["issuer"] |= {"name": text, "addressLines": [text], "taxId": text, "country": text}
    hostile["lines"][0] |= {"description": text, "taxes": [{"code": text}]}
    hostile["taxBreakdown"][0] |= {"code": text, "name": text}
    hostile["payments"][0]["method"] = text
    hostile["fx"]["snapshots"][0]["source"] = text

    pdf = rendered(hostile, {"name": text, "addressLines": [text], "taxId": text})

    reader = PdfReader(BytesIO(pdf))
    printed = without_spaces("".join(page.extract_text() for page in reader.pages))
    links = {
        note.get_object()["/A"]["/URI"] for page in reader.pages for note in page.get("/Annots", [])
    }
    assert calls == []
    # Number (title, footer), folio, reservation, issuer (4), guest (3), line (2), tax (2), source;
    # the method's underscores print as spaces.
    assert printed.count(without_spaces(text)) >= 15
    assert sum(len(page.images) for page in reader.pages) == 1
    assert links == {VERIFY_URL}


@pytest.mark.req("INV-4")
@pytest.mark.parametrize(
    "markup",
    [
        '<img src="http://CANARY/img">',
        "<style>@import url(http://CANARY/css);</style>",
        '<img src="secret.png">',
        '<img src="file:///etc/hostname">',
        '<img src="absent.png">',
        "<style>p { float: left }</style>",
        "<div>" * 1500 + "x",
    ],
    ids=["remote image", "remote style", "local file", "file URL", "absent", "unknown css", "deep"],
)
def test_fails_a_template_that_reaches_out_or_loses_something(
    markup: str,
    canary: tuple[str, list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address, calls = canary
    (tmp_path / "secret.png").write_bytes(PIXEL)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(RenderingFailed):
        draw(f"<html><body>{markup.replace('CANARY', address)}<p>text</p></body></html>")

    assert calls == []


@pytest.mark.req("INV-4")
def test_lets_no_control_of_direction_change_what_is_shown() -> None:
    controls = (
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\x00\x07\x1b"
    )
    turned = personal(name=f"Gu{controls}est", addressLines=["\u202e00.1 latoT"])

    assert rendered(person=turned) == rendered(
        person=personal(name="Guest", addressLines=["00.1 latoT"])
    )
