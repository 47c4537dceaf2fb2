"""Trials by themselves: whose mailbox an address leads to, and what comes when (SUB-10)."""

from datetime import UTC, datetime, timedelta

import pytest

from common.domain.customer import EmailInvalid
from common.domain.entitlement import ACCESS
from common.domain.identifiers import SubscriptionId
from common.domain.subscription import TRANSITIONS, Status, SubscriptionStateRefuses, begin
from common.domain.trial import Traces, convert, end_trial, mailbox_of
from common.runtime.trial_marks import KeyedMarks
from tests.domain.test_subscription import START, terms

pytestmark = pytest.mark.req("SUB-10")


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("Za.Ri.Na+hotel@GoogleMail.com", "zarina@gmail.com"),
        ("z.a+b+c@outlook.com", "z.a@outlook.com"),
        ("zarina@me.com", "zarina@icloud.com"),
        ("za.rina+desk@hotel.example", "za.rina+desk@hotel.example"),
        ("+tag@gmail.com", "+tag@gmail.com"),
    ],
)
def test_an_address_leads_to_one_mailbox_where_its_provider_says_so(
    address: str, mailbox: str
) -> None:
    """Dots and tags of a house of its own may be another person's, and are left alone."""
    assert mailbox_of(address) == mailbox


def test_marks_tell_nobody_and_differ_by_kind_and_key() -> None:
    """One word as account, device and card: three marks, and others under another key. The same
    letter, composed or not, is one mailbox."""
    word = "the-same-word-as-everything"

    def marks(key: str, email: str) -> list[bytes]:
        traces = Traces(account=word, email=email, device=word, card=word)
        assert word not in repr(traces)
        return [each for _, each in KeyedMarks([32 * key]).of(traces)[0].by_kind()]

    one = marks("a", "jos\u00e9@hotel.example")

    assert one == marks("a", "JOSE\u0301@Hotel.Example")
    assert {len(each) for each in one} == {32}
    assert len({*one, *marks("b", "jos\u00e9@hotel.example")}) == 8
    with pytest.raises(EmailInvalid):
        marks("a", "nobody")


def test_nothing_but_a_trial_is_converted_or_ended() -> None:
    active = begin(SubscriptionId.of(f"{1:026}"), terms(2_900), "UTC", START, None).subject
    for deed in (
        lambda: convert(active),
        lambda: end_trial(active, datetime.now(UTC) + timedelta(days=400), has_method=True),
    ):
        with pytest.raises(SubscriptionStateRefuses):
            deed()


@pytest.mark.req("SUB-2")
def test_every_state_says_what_is_allowed_and_what_follows_it() -> None:
    assert set(ACCESS) == set(TRANSITIONS) == set(Status)
