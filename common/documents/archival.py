"""From a drawn page to a document for the archive: PDF/A-3b with the e-invoice in it (INV-5).

PDF/A promises that the page looks the same in thirty years: every font is in the file, colours are
those of a named profile, nothing is fetched or run. Part 3 allows a file to be carried along; ours
is the XML of the same invoice, "factur-x.xml", said to be an alternative to the page. Both are
told in the metadata (XMP), beside whose document it is: number, hash of the payload, template.

Everything here comes from the document and nothing from a clock or from chance, so the same
document gives the same bytes. The signature is put behind them, as a revision of its own.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

from common.domain.dataclass import dataclass

if TYPE_CHECKING:
    from pypdf import PdfWriter
    from pypdf.generic import IndirectObject

PRODUCER: Final = "Melmastoon Billing"
XML_NAME: Final = "factur-x.xml"
CONFORMANCE: Final = "EN 16931"
OWN: Final = "urn:melmastoon:billing:document:1p0#"
FACTUR_X: Final = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
PRINTED: Final = 4  # annotation flag "Print", which PDF/A asks of links

OWN_PROPERTIES: Final = {
    "invoiceNumber": "The number of the document",
    "payloadSha256": "SHA-256 of the canonical payload that was signed",
    "templateVersion": "The template that the page was drawn by",
    "eInvoice": "Whether the document carries its XML, and why if it does not",
}
FACTUR_X_PROPERTIES: Final = {
    "DocumentFileName": "The name of the embedded XML document",
    "DocumentType": "The type of the hybrid document in capital letters, e.g. INVOICE or ORDER",
    "Version": "The actual version of the standard applying to the embedded XML document",
    "ConformanceLevel": "The conformance level of the embedded XML document",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """Whose document it is. `e_invoice` is its XML, or `without_xml` says why there is none."""

    title: str
    author: str
    language: str
    issued_at: datetime
    number: str
    payload_sha256: str
    template_version: str
    e_invoice: bytes | None
    without_xml: str

    @property
    def own(self) -> dict[str, str]:
        """What our own schema says of it."""
        said = XML_NAME if self.e_invoice is not None else f"none: {self.without_xml}"
        values = (self.number, self.payload_sha256, self.template_version, said)
        return dict(zip(OWN_PROPERTIES, values, strict=True))


def archived(pdf: bytes, label: Label) -> bytes:
    """The drawn page as PDF/A-3b under its label, with its XML in it."""
    from pypdf import PdfWriter
    from xhtml2pdf.builders.preflight import drop_idle_fonts

    writer = PdfWriter(clone_from=BytesIO(pdf))
    drop_idle_fonts(writer)  # Helvetica, which is named on every page and draws nothing
    writer.compress_identical_objects(remove_unreferenced=True)
    writer.pdf_header = "%PDF-1.7"
    when = f"D:{label.issued_at.astimezone(UTC):%Y%m%d%H%M%S}Z"
    writer.metadata = {
        "/Title": label.title,
        "/Author": label.author,
        "/Producer": PRODUCER,
        "/CreationDate": when,
        "/ModDate": when,
        **{f"/{name}": value for name, value in label.own.items()},
    }
    _add_catalogue(writer, label)
    if label.e_invoice is not None:
        _attach(writer, label.e_invoice, when)
    for page in writer.pages:
        for link in page.get("/Annots", ()):
            link.get_object().update(_pdf({"F": PRINTED}))
    return _written(writer, hashlib.sha256(pdf + (label.e_invoice or b"")).digest()[:16])


def _add_catalogue(writer: "PdfWriter", label: Label) -> None:
    profile = _stream(writer, _srgb(), {"N": 3})
    intent = {
        "Type": "/OutputIntent",
        "S": "/GTS_PDFA1",
        "OutputConditionIdentifier": "sRGB IEC61966-2.1",
        "Info": "sRGB IEC61966-2.1",
        "DestOutputProfile": profile,
    }
    said = {"Type": "/Metadata", "Subtype": "/XML"}
    entries = {
        "Metadata": _stream(writer, _xmp(label), said),
        "OutputIntents": [intent],
        "Lang": label.language,
        "ViewerPreferences": {"DisplayDocTitle": True},
    }
    writer.root_object.update(_pdf(entries))


def _attach(writer: "PdfWriter", xml: bytes, when: str) -> None:
    digest = hashlib.md5(xml, usedforsecurity=False).digest()  # what the format asks for
    described = {
        "Type": "/EmbeddedFile",
        "Subtype": "/text/xml",
        "Params": {"Size": len(xml), "ModDate": when, "CheckSum": digest},
    }
    stream = _stream(writer, xml, described)
    file = {
        "Type": "/Filespec",
        "F": XML_NAME,
        "UF": XML_NAME,
        "Desc": "Factur-X invoice",
        "AFRelationship": "/Alternative",
        "EF": {"F": stream, "UF": stream},
    }
    reference = writer._add_object(_pdf(file))  # the library has no other word for it
    entries = {"AF": [reference], "Names": {"EmbeddedFiles": {"Names": [XML_NAME, reference]}}}
    writer.root_object.update(_pdf(entries))


def _stream(writer: "PdfWriter", content: bytes, entries: dict[str, Any]) -> "IndirectObject":
    from pypdf.generic import DecodedStreamObject

    stream = DecodedStreamObject()
    stream.set_data(content)
    stream.update(_pdf(entries))
    return writer._add_object(stream)  # as above


def _pdf(value: Any) -> Any:
    """A value as a PDF writes it: text that begins with a stroke is a name."""
    from pypdf.generic import (
        ArrayObject,
        BooleanObject,
        ByteStringObject,
        DictionaryObject,
        NameObject,
        NumberObject,
        TextStringObject,
    )

    match value:
        case dict():
            return DictionaryObject({NameObject(f"/{k}"): _pdf(v) for k, v in value.items()})
        case list():
            return ArrayObject(_pdf(each) for each in value)
        case bool():
            return BooleanObject(value)
        case int():
            return NumberObject(value)
        case bytes():
            return ByteStringObject(value)
        case str():
            return NameObject(value) if value.startswith("/") else TextStringObject(value)
        case _:
            return value


def _written(writer: "PdfWriter", identifier: bytes) -> bytes:
    from pypdf.generic import ArrayObject, ByteStringObject

    writer._ID = ArrayObject([ByteStringObject(identifier)] * 2)  # else it would be of chance
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


@cache
def _srgb() -> bytes:
    """The profile of the screen's colours, without the time and the digest of its making."""
    from PIL import ImageCms

    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes.fromhex("07EA00010001000000000000")
    profile[84:100] = bytes(16)
    return bytes(profile)


def _xmp(label: Label) -> bytes:
    """The metadata as RDF; what no standard knows is described in it, as PDF/A asks."""
    when = f"{label.issued_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    described = list(_described(label))
    parts = [
        ("pdfaid", "http://www.aiim.org/pdfa/ns/id/", {"part": "3", "conformance": "B"}),
        ("pdf", "http://ns.adobe.com/pdf/1.3/", {"Producer": PRODUCER}),
        ("xmp", "http://ns.adobe.com/xap/1.0/", {"CreateDate": when, "ModifyDate": when}),
        *((prefix, space, values) for _, prefix, space, _, values in described),
    ]
    dublin_core = (
        f"<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>{escape(label.title)}</rdf:li></rdf:Alt>"
        f"</dc:title><dc:creator><rdf:Seq><rdf:li>{escape(label.author)}</rdf:li></rdf:Seq>"
        f"</dc:creator><dc:language><rdf:Bag><rdf:li>{escape(label.language)}</rdf:li></rdf:Bag>"
        "</dc:language>"
    )
    text = (
        "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>\n"
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'>"
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\n"
        + "\n".join(_description(*part) for part in parts)
        + "\n<rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/'>"
        + f"{dublin_core}</rdf:Description>\n{_schemas(described)}"
        + "\n</rdf:RDF></x:xmpmeta>\n<?xpacket end='w'?>"
    )
    return text.encode()


_Described = tuple[str, str, str, dict[str, str], dict[str, str]]


def _described(label: Label) -> Iterator[_Described]:
    """Schemas beyond the standard's: name, prefix, namespace, what each property is, its value."""
    yield "Melmastoon document", "doc", OWN, OWN_PROPERTIES, label.own
    if label.e_invoice is not None:
        values = (XML_NAME, "INVOICE", "1.0", CONFORMANCE)
        said = dict(zip(FACTUR_X_PROPERTIES, values, strict=True))
        yield "Factur-X PDFA Extension Schema", "fx", FACTUR_X, FACTUR_X_PROPERTIES, said


def _description(prefix: str, namespace: str, values: dict[str, str]) -> str:
    said = "".join(
        f"<{prefix}:{name}>{escape(value)}</{prefix}:{name}>" for name, value in values.items()
    )
    return f"<rdf:Description rdf:about='' xmlns:{prefix}='{namespace}'>{said}</rdf:Description>"


def _schemas(described: list[_Described]) -> str:
    schemas = "".join(_schema(*each[:4]) for each in described)
    return (
        "<rdf:Description rdf:about=''"
        " xmlns:pdfaExtension='http://www.aiim.org/pdfa/ns/extension/'"
        " xmlns:pdfaSchema='http://www.aiim.org/pdfa/ns/schema#'"
        " xmlns:pdfaProperty='http://www.aiim.org/pdfa/ns/property#'>"
        f"<pdfaExtension:schemas><rdf:Bag>{schemas}</rdf:Bag></pdfaExtension:schemas>"
        "</rdf:Description>"
    )


def _schema(name: str, prefix: str, namespace: str, properties: dict[str, str]) -> str:
    listed = "".join(
        "<rdf:li rdf:parseType='Resource'>"
        f"<pdfaProperty:name>{each}</pdfaProperty:name>"
        "<pdfaProperty:valueType>Text</pdfaProperty:valueType>"
        "<pdfaProperty:category>external</pdfaProperty:category>"
        f"<pdfaProperty:description>{escape(words)}</pdfaProperty:description></rdf:li>"
        for each, words in properties.items()
    )
    return (
        "<rdf:li rdf:parseType='Resource'>"
        f"<pdfaSchema:schema>{name}</pdfaSchema:schema>"
        f"<pdfaSchema:namespaceURI>{namespace}</pdfaSchema:namespaceURI>"
        f"<pdfaSchema:prefix>{prefix}</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{listed}</rdf:Seq></pdfaSchema:property></rdf:li>"
    )
