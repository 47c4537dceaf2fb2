"""Calls to keys, documents and the broker stand in the trace of what they are made for (OPS-4)."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import grpc
import pytest

from common.google.asking import RETRY
from common.google.documents import AccountSignature, CloudDocuments
from common.google.keys import CloudKeys
from common.google.wrapping import CloudWrapping
from common.ports.powers import DocumentMissing
from common.ports.publishing import EVENT_TYPE, Message
from common.ports.telemetry import CALLS, Span, Within, begun
from common.ports.vault import KeyDestroyed, Wrapped
from common.runtime.watching import WatchedPublisher
from tests.adapters.grpc_stand_in import Refused
from tests.adapters.kms_stand_in import KmsStandIn, kms_served
from tests.adapters.storage_stand_in import Account, StorageStandIn, storage_served
from tests.adapters.test_telemetry_export import OURS, TRACE, Heard
from tests.hotel import Hotel

pytestmark = pytest.mark.req("OPS-4", "API-7")
TENANT = UUID("7f1b0c9e-0000-4000-8000-000000000001")
KEYRING = "projects/hotels/locations/europe-west1/keyRings/billing"
NAME = "invoices/inv_1/0-9f86.pdf"


def told(heard: Heard) -> list[tuple[str, str, str]]:
    """Each call below the request, with what came of it and what was raised."""
    *calls, request = heard.spans
    assert {(each.parent_id, each.trace_id, each.kind) for each in calls} == {
        (request.span_id, TRACE, "client")
    }
    return [(each.name, str(each.attributes["billing.outcome"]), each.failed) for each in calls]


def test_each_attempt_at_a_key_is_a_span_and_names_none() -> None:
    """KMS is away for a moment: it is asked twice. What it refuses is an answer, too."""
    kms, heard = KmsStandIn(), Heard()
    for kind in ("invoice", "data"):
        kms.add_version(f"{KEYRING}/cryptoKeys/{kind}-{TENANT.hex}")
    with kms_served(kms) as client, begun(heard, Within(TRACE, OURS), "a request", "server"):
        retry = RETRY.with_delay(0.001)
        keys, wrapping = CloudKeys(KEYRING, client, retry=retry), CloudWrapping(KEYRING, client)
        version = keys.current(TENANT)
        kms.troubles.append(Refused(grpc.StatusCode.UNAVAILABLE))
        signed = keys.sign(TENANT, b"1" * 32)
        assert keys.verify(TENANT, b"1" * 32, signed)
        wrapped = wrapping.wrap(TENANT, b"secret" * 6)
        assert wrapping.unwrap(TENANT, wrapped) == b"secret" * 6
        with pytest.raises(KeyDestroyed):
            wrapping.unwrap(TENANT, Wrapped(wrapped.key_version, b"\0\1" + b"0" * 60))

    assert told(heard) == [
        ("kms list_versions", "answered", ""),
        ("kms sign", "failed", "ServiceUnavailable"),
        ("kms sign", "answered", ""),
        ("kms get_public_key", "answered", ""),
        ("kms encrypt", "answered", ""),
        ("kms decrypt", "answered", ""),
        ("kms decrypt", "refused", "InvalidArgument"),
    ]
    counted = [dict(about) for figure, _, about in heard.figures if figure is CALLS]
    assert len(counted) == 7
    assert all(word not in repr([heard.spans, counted]) for word in (version, "secret", TENANT.hex))


def test_each_call_for_a_document_is_a_span() -> None:
    """Put, put again, which finds its own bytes, and a link; what is not there is refused."""
    storage, heard = StorageStandIn(), Heard()
    storage.buckets = {f"hotel-documents-{TENANT.hex}": {}}
    with storage_served(storage) as (client, request, _):
        documents = CloudDocuments("hotel-documents", client, AccountSignature(Account(), request))
        with begun(heard, Within(TRACE, OURS), "a request", "server"):
            documents.put(TENANT, NAME, b"%PDF")
            documents.put(TENANT, NAME, b"%PDF")
            documents.link(TENANT, NAME, 300)
            with pytest.raises(DocumentMissing):
                documents.get(TENANT, "invoices/none.pdf")

    assert told(heard) == [
        ("storage upload", "answered", ""),
        ("storage upload", "refused", "PreconditionFailed"),
        ("storage download", "answered", ""),
        ("storage sign_link", "answered", ""),
        ("storage download", "refused", "NotFound"),
    ]
    assert NAME not in repr(heard.spans)


def test_the_broker_is_a_peer_as_the_others_are() -> None:
    """One batch in which one message is taken is an answer; one of which none is, is none."""
    heard, answers = Heard(), [[None, "held back"], ["unavailable"]]

    class Broker:
        def publish(self, messages: Any) -> Any:
            return answers.pop(0)

    message = Message("evt_1", "fol_1", {EVENT_TYPE: "melmastoon.billing.folio.opened.v1"}, b"{}")
    publisher = WatchedPublisher(Broker(), heard, lambda: None)  # type: ignore[arg-type,return-value]
    publisher.publish([message, replace(message, event_id="evt_2")])
    publisher.publish([message])

    calls = [about for figure, _, about in heard.figures if figure is CALLS]
    assert [each["billing.outcome"] for each in calls] == ["answered", "failed"]
    assert {each["billing.peer"] for each in calls} == {"broker"}


def test_a_document_is_signed_and_stored_within_the_trace_of_its_fact(hotel: Hotel) -> None:
    """The close's trace goes on in the consumer, minutes later, down to KMS and the bucket."""
    kms, storage = KmsStandIn(), StorageStandIn()
    kms.add_version(f"{KEYRING}/cryptoKeys/invoice-{hotel.tenant_id.hex}")
    storage.buckets = {f"hotel-documents-{hotel.tenant_id.hex}": {}}
    with kms_served(kms) as client, storage_served(storage) as (bucket, request, _):
        powers = {
            "keys": CloudKeys(KEYRING, client),
            "documents": CloudDocuments(
                "hotel-documents", bucket, AccountSignature(Account(), request)
            ),
        }
        house = hotel.house.beside(powers=powers, telemetry="memory")
        there = Hotel(house, hotel.tenant_id, hotel.property_id)
        _, invoice = there.closed_folio()
        assert there.render(invoice).status_code < 300

        assert house.wiring.telemetry is not None
        assert house.wiring.telemetry.flush()
        spans = [Span(**each) for each in house.wiring.memory.spans()]
        house.close()

    signed = next(each for each in spans if each.name == "kms sign")
    trace = [each for each in spans if each.trace_id == signed.trace_id]
    assert {"kms sign", "storage upload"} <= {each.name for each in trace}
    consumer = next(each for each in trace if each.span_id == signed.parent_id)
    close = next(each for each in trace if each.kind == "server" and "close" in each.name)
    assert (consumer.kind, consumer.parent_id) == ("consumer", close.span_id)
