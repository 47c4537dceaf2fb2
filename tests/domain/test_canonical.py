"""Canonical JSON, held against an independent implementation of RFC 8785 (INV-3)."""

import hashlib
import json

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from common.domain.canonical import canonical, digest

pytestmark = pytest.mark.req("INV-3")

texts = st.text(st.characters(exclude_categories=["Cs"]))
names = st.text(st.characters(max_codepoint=127))
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=300)
@given(documents)
def test_writes_what_another_implementation_writes_and_anyone_reads_back(document: object):
    assert canonical(document) == rfc8785.dumps(document)
    assert json.loads(canonical(document)) == document


def test_sorts_names_and_leaves_no_space():
    """RFC 8785, section 3.2: names sorted, text as it is, only what must be escaped is."""
    document = {"b": [1, True, None], "a": {"z": "äلa€\u2028", "A": '"\\/\b\f\n\r\t\u0001\u007f'}}
    assert canonical(document).decode() == (
        '{"a":{"A":"\\"\\\\/\\b\\f\\n\\r\\t\\u0001\u007f","z":"äلa€\u2028"},"b":[1,true,null]}'
    )


def test_takes_a_tuple_for_a_list():
    assert canonical((1, (2,))) == b"[1,[2]]"


def test_digest_is_the_sha256_of_the_spelling():
    """Known value: SHA-256 of the two bytes `{}`."""
    assert digest({}) == hashlib.sha256(b"{}").digest()
    assert digest({}).hex().startswith("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f6")


@pytest.mark.parametrize(
    "document",
    [1.5, {"a": [1.0]}, 2**53, -(2**53), {1: "a"}, {"ä": 1}, b"bytes", {"a": {1, 2}}, "\ud800"],
    ids=repr,
)
def test_refuses_what_two_readers_could_spell_differently(document: object):
    with pytest.raises((TypeError, ValueError)):
        canonical(document)
