"""An identifier says what it names and has one spelling (spec 01, Identifiers)."""

import copy
import pickle

import pytest
from ulid import ULID

from common.domain import identifiers
from common.domain.identifiers import (
    ChargeId,
    FolioId,
    Identifier,
    LineId,
    PaymentId,
    RefundId,
    SettlementId,
)

ULID_TEXT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
PREFIXES = {
    "FolioId": "fol_",
    "ChargeId": "chg_",
    "TaxLineId": "tax_",
    "AdjustmentId": "adj_",
    "RoundingId": "rnd_",
    "VoidId": "vod_",
    "PaymentId": "pay_",
    "RefundId": "rfd_",
    "RefundReversalId": "rvr_",
    "SettlementId": "stl_",
    "InvoiceId": "inv_",
    "CreditNoteId": "cn_",
    "EventId": "evt_",
    "AuditId": "aud_",
}


@pytest.mark.parametrize(("name", "prefix"), PREFIXES.items())
def test_every_kind_has_the_prefix_of_the_specification(name, prefix):
    kind = getattr(identifiers, name)
    assert kind(prefix + ULID_TEXT) == prefix + ULID_TEXT
    assert kind.of(ULID_TEXT).ulid == ULID_TEXT


def test_a_fresh_ulid_makes_one():
    assert FolioId.of(str(ULID())).startswith("fol_")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fol_",
        ULID_TEXT,
        "chg_" + ULID_TEXT,
        "FOL_" + ULID_TEXT,
        "fol_" + ULID_TEXT.lower(),
        "fol_" + ULID_TEXT[:-1],
        "fol_" + ULID_TEXT + "0",
        "fol_" + ULID_TEXT + "\n",
        " fol_" + ULID_TEXT,
        "fol_8" + ULID_TEXT[1:],
        "fol_" + ULID_TEXT[:-1] + "I",
        "fol_" + ULID_TEXT[:-1] + "L",
        "fol_" + ULID_TEXT[:-1] + "O",
        "fol_" + ULID_TEXT[:-1] + "U",
        "fol_" + ULID_TEXT[:-1] + "٣",
    ],
)
def test_any_other_text_is_refused(text):
    with pytest.raises(ValueError):
        FolioId(text)


def test_the_largest_ulid_has_128_bits():
    assert FolioId("fol_7" + "Z" * 25).ulid == "7" + "Z" * 25


@pytest.mark.parametrize("kind", [ChargeId, PaymentId, RefundId])
def test_a_line_of_a_folio_is_known_by_its_prefix(kind):
    assert type(LineId(kind.of(ULID_TEXT))) is kind
    assert issubclass(kind, LineId)


@pytest.mark.parametrize("text", [ULID_TEXT, "fol_" + ULID_TEXT, "chg_" + ULID_TEXT[1:]])
def test_what_is_no_line_is_refused_as_one(text):
    with pytest.raises(ValueError):
        LineId(text)


def test_a_settlement_is_no_line():
    assert not issubclass(SettlementId, LineId)


def test_it_is_a_text_wherever_a_text_is_asked_for():
    folio = FolioId.of(ULID_TEXT)
    assert isinstance(folio, str)
    assert {folio: 1}["fol_" + ULID_TEXT] == 1
    assert type(pickle.loads(pickle.dumps(folio))) is type(copy.copy(folio)) is FolioId


def test_no_two_kinds_share_a_prefix():
    kinds, found = [Identifier], []
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        found += [kind.__dict__["prefix"]] if "prefix" in kind.__dict__ else []
    assert len(found) == len(set(found)) >= len(PREFIXES)
