"""From the outbox to a consumer over HTTP, as on a laptop: what is wired together works."""

import json
import threading
from dataclasses import replace
from uuid import uuid4

import pytest
from werkzeug.serving import make_server

from common.local.functions import event_declarations
from common.local.gateway import Gateway
from common.local.identity import LocalIdentity
from common.ports.jobs import Turn
from common.wiring import Wiring
from jobs.drain_outbox import drain_outbox
from tests.hotel import keys_of
from tests.jobs.cell import Cell

GENERATED = "melmastoon.billing.invoice.generated.v1"


@pytest.mark.req("EVT-4", "EVT-5", "SEC-5")
def test_pushes_with_a_services_token_to_whoever_subscribed(cell: Cell) -> None:
    """The event names no invoice: its consumer, having believed the token, keeps it as a letter."""
    cell.tell(uuid4(), "inv_a", 1)
    cell.sql(
        "UPDATE billing_central.outbox SET event = replace(event, :was, :is)",
        **{"was": "melmastoon.billing.charge.posted.v1", "is": GENERATED},
    )
    settings = replace(
        cell.wiring().settings, oidc_audience="billing-events", oidc_account="push@billing.test"
    )
    consumers = Wiring(settings)
    identity = LocalIdentity(
        cell.folder / "identity", issuer=settings.token_issuer, clock=consumers.clock.now
    )
    consumers.__dict__["issuer_keys"] = keys_of(identity)
    server = make_server("127.0.0.1", 0, Gateway(consumers, event_declarations()), threaded=True)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    drainer = Wiring(replace(settings, public_url=f"http://127.0.0.1:{server.port}"))

    try:
        done = drain_outbox(Turn(), drainer)
    finally:
        server.shutdown()
        serving.join(30)
        server.server_close()

    (letter,) = drainer.dead_letters.list()
    assert (done.done, done.failed) == (1, 0)
    assert letter.consumer == "on_invoice_generated"
    assert letter.reason.startswith("MELMASTOON.GENERAL.VALIDATION_FAILED")
    assert json.loads(json.loads(letter.message)["body"])["message"]["attributes"]["ce-type"] == (
        GENERATED
    )
    for wiring in (consumers, drainer):
        wiring.close()
