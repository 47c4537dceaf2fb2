"""A charge as somebody in a hurry would write it: the yardstick of `make bench`, and nothing else.

The same framework, the same driver, the same token and the same rows in the same tables, one
`run()` after the other, on a connection for each thread. What the service guarantees besides is
left out: no tenant role, no nonce, no settings, no tax rules, no rate limit, no retry, no stored
answer to send again, no chain of hashes, no problem documents, no log.
"""

import json
import os
import threading
from uuid import uuid4

import flask
import functions_framework
import jwt
import pg8000.native
from pydantic import BaseModel


class Amount(BaseModel):
    amountMicro: int
    currency: str


class Charge(BaseModel):
    kind: str
    description: str
    unitAmount: Amount


CONNECTIONS = threading.local()
KEYS = {key["kid"]: jwt.PyJWK(key).key for key in json.loads(os.environ["MINIMAL_JWKS"])["keys"]}
TENANT, SCHEMA = os.environ["MINIMAL_TENANT"], os.environ["MINIMAL_SCHEMA"]
PROPERTY = os.environ["MINIMAL_PROPERTY"]
LINE = (
    "INSERT INTO folio_lines (tenant_id, folio_id, sequence, id, type, kind, description,"
    " window_name, amount_micro, currency, business_date, source, charge_id, settings_version,"
    " actor, occurred_at, recorded_at) VALUES (:tenant, :folio, :sequence, :id, :type, :kind,"
    " :description, 'guest', :amount, 'USD', current_date, 'manual', :charge, 1, :actor, now(),"
    " now())"
)
ENTRY = (
    "INSERT INTO ledger_entries (tenant_id, source, part, folio_id, property_id, debit_account,"
    " credit_account, amount_micro, currency, business_date, occurred_at, recorded_at) VALUES"
    " (:tenant, :id, 0, :folio, :property, 'guest_ledger', :account, :amount, 'USD', current_date,"
    " now(), now())"
)
OUTBOX = (
    "INSERT INTO billing_central.outbox (tenant_id, shard, ordering_key, sequence, event_id,"
    " event_type, event, recorded_at) VALUES (:tenant, 0, :folio, :version, :id, 'charge.posted',"
    " :event, now())"
)
AUDIT = (
    "INSERT INTO audit_entries (tenant_id, id, aggregate_kind, aggregate_id, sequence, action,"
    " actor, auth_strength, detail, digest_after, trace_id, occurred_at, recorded_at,"
    " previous_hash, hash) VALUES (:tenant, :id, 'folio', :folio, :version, 'charge.posted',"
    " :actor, 'pwd', :event, '', '', now(), now(), '', '')"
)
KEY = (
    "INSERT INTO idempotency_keys (tenant_id, key_hash, function, fingerprint, status, headers,"
    " body, recorded_at) VALUES (:tenant, :key, 'post_charge', '', 201, '{}', :body, now())"
)


def connection() -> pg8000.native.Connection:
    if not hasattr(CONNECTIONS, "mine"):
        CONNECTIONS.mine = pg8000.native.Connection(
            "postgres", database="billing", unix_sock=os.environ["MINIMAL_SOCKET"]
        )
    return CONNECTIONS.mine


@functions_framework.http
def post_charge(request: flask.Request) -> flask.Response:
    token = request.headers["Authorization"].removeprefix("Bearer ")
    key = KEYS[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["ES256"], audience="billing-service")
    charge = Charge.model_validate_json(request.get_data())
    folio = request.path.split("/")[4]
    amount, tax = charge.unitAmount.amountMicro, charge.unitAmount.amountMicro // 10
    ids = [uuid4().hex for _ in range(4)]
    run = connection().run
    run("BEGIN")
    run("SELECT set_config('search_path', :schema, true)", schema=SCHEMA)
    run("SELECT set_config('app.tenant_id', :tenant, true)", tenant=TENANT)
    found = run("SELECT * FROM folios WHERE id = :id FOR UPDATE", id=folio)
    last, version, balance = found[0][15], found[0][19], found[0][14] + amount + tax
    body = json.dumps({"folioId": folio, "balance": balance, "version": version + 1})
    told = {"tenant": TENANT, "folio": folio, "version": version + 1, "event": body}
    for part, (kind, micro, account) in enumerate(
        (("charge", amount, "revenue:room"), ("tax", tax, "tax_payable:VAT"))
    ):
        run(
            LINE,
            tenant=TENANT,
            folio=folio,
            sequence=last + 1 + part,
            id=ids[part],
            type=kind,
            kind=charge.kind,
            description=json.dumps({"und": charge.description}),
            amount=micro,
            charge=ids[0],
            actor=claims["sub"],
        )
        run(
            ENTRY,
            tenant=TENANT,
            id=ids[part],
            folio=folio,
            property=PROPERTY,
            account=account,
            amount=micro,
        )
    run(
        "UPDATE folios SET balance_micro = :balance, last_line = :last, version = :version"
        " WHERE id = :id",
        balance=balance,
        last=last + 2,
        version=version + 1,
        id=folio,
    )
    run(OUTBOX, id=ids[2], **told)
    run(AUDIT, id=ids[3], actor=claims["sub"], **told)
    run(KEY, tenant=TENANT, key=request.headers["Idempotency-Key"].encode(), body=body)
    run("COMMIT")
    return flask.Response(body, status=201, content_type="application/json")
