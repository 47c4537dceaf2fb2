"""What PDF/A-3b asks of a file, as far as whoever writes one can break it (ISO 19005-3).

No replacement of a validator such as veraPDF, which needs Java and is not on this machine; it looks
at what our way of making a file could get wrong. `broken_by` answers the clauses.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

FORBIDDEN_ACTIONS = {"/JavaScript", "/Launch", "/Sound", "/Movie", "/ResetForm", "/ImportData"}


def broken_by(pdf: bytes) -> list[str]:
    """The clauses that a file breaks, as far as this looks."""
    reader = PdfReader(BytesIO(pdf), strict=True)
    root = reader.trailer["/Root"].get_object()
    found = [clause for clause, holds in _frame(pdf, reader, root) if not holds]
    for each in _reachable(root):
        found += [clause for clause, holds in _object(each) if not holds]
    return [*found, *_metadata(reader, root)]


def xmp(pdf: bytes) -> str:
    """The metadata stream, as it is written."""
    root = PdfReader(BytesIO(pdf)).trailer["/Root"].get_object()
    return root["/Metadata"].get_object().get_data().decode()


def _frame(pdf: bytes, reader: PdfReader, root: Any) -> Iterator[tuple[str, bool]]:
    first, second = pdf.split(b"\n", 2)[:2]
    yield "6.1.2 header", first == b"%PDF-1.7"
    yield "6.1.2 binary comment", second[:1] == b"%" and all(byte > 127 for byte in second[1:5])
    yield "6.1.3 ID", "/ID" in reader.trailer
    yield "6.1.3 encryption", not reader.is_encrypted
    yield "6.1.12 optional content", "/OCProperties" not in root
    intents = root.get("/OutputIntents", [])
    yield "6.2.3 one output intent", len(intents) == 1
    if intents:
        intent = intents[0].get_object()
        profile = intent["/DestOutputProfile"].get_object()
        yield "6.2.3 of PDF/A", intent["/S"] == "/GTS_PDFA1"
        yield "6.2.3 profile", profile.get_data()[36:40] == b"acsp" and profile["/N"] == 3
    yield "6.6.2 plain metadata", "/Filter" not in root["/Metadata"].get_object()
    for file in root.get("/AF", []):
        described = file.get_object()
        yield "6.8 relationship", described.get("/AFRelationship") == "/Alternative"
        yield "6.8 names", described.get("/F") == described.get("/UF") == "factur-x.xml"
        yield "6.8 type", described["/EF"]["/F"].get_object()["/Subtype"] == "/text/xml"
    attached = "/EmbeddedFiles" in root.get("/Names", {})
    yield "6.8 files are associated", attached == ("/AF" in root)


def _object(each: DictionaryObject) -> Iterator[tuple[str, bool]]:
    kind, subtype = each.get("/Type"), each.get("/Subtype")
    if kind == "/Font" and subtype in ("/TrueType", "/Type1", "/CIDFontType2", "/CIDFontType0"):
        described = each.get("/FontDescriptor", DictionaryObject()).get_object()
        files = {"/FontFile", "/FontFile2", "/FontFile3"} & described.keys()
        yield f"6.2.11.4 {each.get('/BaseFont')} is embedded", bool(files)
        symbolic = int(described.get("/Flags", 0)) & 4
        yield "6.2.11.6 symbolic", not (subtype == "/TrueType" and symbolic and "/Encoding" in each)
    if subtype in ("/Link", "/Widget"):
        flags = int(each.get("/F", 0))
        yield "6.3.2 printed", flags & 4 == 4 and flags & 3 == 0
    if subtype == "/Image":
        yield "6.2.8 interpolation", not each.get("/Interpolate", False)
    if kind == "/ExtGState":
        yield "6.2.5 transfer", "/TR" not in each
    yield "6.5.1 actions", each.get("/S") not in FORBIDDEN_ACTIONS
    yield "6.1.7 LZW", "/LZWDecode" not in str(each.get("/Filter", ""))


def _metadata(reader: PdfReader, root: Any) -> Iterator[str]:
    text = root["/Metadata"].get_object().get_data().decode()
    packet = re.sub(r"<\?xpacket.*?\?>", "", text)
    tree = ElementTree.fromstring(packet)
    said = {(found.tag.rpartition("}")[2], found.text) for found in tree.iter() if found.text}
    texts = {text for _, text in said}
    if not {("part", "3"), ("conformance", "B")} <= said:
        yield "6.6.4 part and conformance"
    for name, value in (reader.metadata or {}).items():
        if name in ("/Title", "/Author", "/Producer") and str(value) not in texts:
            yield f"6.6.3 {name} is told twice alike"
    described = set(re.findall(r"<pdfaSchema:prefix>(\w+)<", text))
    used = set(re.findall(r"xmlns:(\w+)=", text))
    known = {"x", "rdf", "dc", "pdf", "xmp", "pdfaid"}
    for prefix in used - known - {"pdfaExtension", "pdfaSchema", "pdfaProperty"} - described:
        yield f"6.6.2.3 {prefix} is described"


def _reachable(root: Any) -> Iterator[DictionaryObject]:
    """Every dictionary that the document leads to, once."""
    seen: set[tuple[int, int]] = set()
    waiting = [root]
    while waiting:
        each = waiting.pop()
        if isinstance(each, IndirectObject):
            if (each.idnum, each.generation) in seen:
                continue
            seen.add((each.idnum, each.generation))
            each = each.get_object()
        if isinstance(each, DictionaryObject):
            yield each
            waiting += each.values()
        elif isinstance(each, ArrayObject):
            waiting += each
