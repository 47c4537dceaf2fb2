"""`billing keys`: the public half of a signing key, and a certificate of an authority for it.

PDFs are signed with the tenant's key, and bear a certificate that the key issued itself until an
authority has issued one. `request` prints what the authority is asked with; the key never leaves
the place where it is kept. `certificate` keeps what the authority sent, if it is for the key: the
documents that are drawn from then on bear it, and what was signed before stays as it is. It is
given as text: where the command runs in the cloud, none of the operator's files is. `public` prints
what is published, so that anybody can verify: a tenant's, or without one the platform's, by which
it seals its invoices to its tenants.

Exit code 0: done; 1: the certificate cannot be used, or the tenant or its key cannot be reached;
2: the command is wrong.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from common.cli.laptop import failure

if TYPE_CHECKING:
    from common.domain.settings import Issuer
    from common.wiring import Wiring

keys = typer.Typer(
    name="keys", help="Signing keys: ask for a certificate, keep it.", no_args_is_help=True
)

TenantId = Annotated[UUID, typer.Argument(help="The tenant's id.", show_default=False)]
Pem = Annotated[
    str,
    typer.Option(help="The certificate in PEM, and behind it those above it.", show_default=False),
]


@keys.command(
    epilog="Example: billing keys request 2f8e7c1a-4b6d-4e3f-9a52-7d1c0b9e8f64 > hotel.csr"
)
def request(tenant_id: TenantId) -> None:
    """Print a request for a certificate (PKCS #10, in PEM), signed by the tenant's newest key."""
    from common.documents.certificates import certificate_request
    from common.procedures.certifying import issuer_of

    wiring = _wiring()
    issuer: Issuer = _run(wiring, tenant_id, issuer_of, None)
    public_key, _ = _newest(wiring, tenant_id)
    sign = partial(_sign, wiring, tenant_id)
    asked = certificate_request(issuer.name, issuer.country, public_key, sign)
    typer.echo(asked.decode(), nl=False)


@keys.command(epilog="Example: billing keys public > melmastoon.pem")
def public(
    tenant_id: Annotated[
        UUID | None, typer.Argument(help="The tenant's id; the platform's without.")
    ] = None,
) -> None:
    """Print the public half of the key that signs now (PEM): of a tenant, or of the platform."""
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_der_public_key,
    )

    from common.domain.subscription_invoice import PLATFORM_ID
    from common.procedures.certifying import issuer_of

    wiring = _wiring()
    if tenant_id is not None:
        _run(wiring, tenant_id, issuer_of, None)  # a key of nobody's is not made
    keeper = wiring.platform_keys if tenant_id is None else wiring.keys
    owner = tenant_id or PLATFORM_ID
    key = load_der_public_key(keeper.public_key(owner, keeper.current(owner)))
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    typer.echo(pem.decode(), nl=False)


@keys.command(
    epilog="Example: billing keys certificate 2f8e7c1a-4b6d-4e3f-9a52-7d1c0b9e8f64"
    ' --pem "$(<hotel.pem)"'
)
def certificate(tenant_id: TenantId, pem: Pem) -> None:
    """Keep the certificate that an authority issued for the tenant's newest key; again, it
    changes nothing."""
    from common.documents.certificates import authority_certificate
    from common.domain.certificate import CertificateUnusable
    from common.procedures.certifying import keep_certificate

    wiring = _wiring()
    public_key, key_version = _newest(wiring, tenant_id)
    try:
        given = authority_certificate(pem.encode(), key_version, public_key, wiring.clock.now())
    except CertificateUnusable as unusable:
        raise failure("keys", f"the certificate: {unusable.detail}") from unusable
    kept = _run(wiring, tenant_id, keep_certificate, given)
    typer.echo(
        f"{key_version} {'signs with it' if kept else 'has it already'},"
        f" until {given.valid_to:%Y-%m-%d}; SHA-256 {given.sha256.hex()}"
    )


def _newest(wiring: "Wiring", tenant_id: UUID) -> tuple[bytes, str]:
    """The public half of the version that signs now, and its name."""
    version = wiring.keys.current(tenant_id)
    return wiring.keys.public_key(tenant_id, version), version


def _sign(wiring: "Wiring", tenant_id: UUID, sha256: bytes) -> bytes:
    return wiring.keys.sign(tenant_id, sha256).value


def _run(wiring: "Wiring", tenant_id: UUID, use_case: Callable[..., Any], asked: Any) -> Any:
    """Run one use case for the tenant, as the operator."""
    from common.ports.transactions import Caller, DatabaseUnavailable, StoredAnswer, TenantUnknown
    from common.runtime.execute import Call
    from common.runtime.system import SystemActor

    call = Call(
        use_case=use_case,
        request=asked,
        caller=Caller(actor=SystemActor.named("keys", tenant_id)),
        tenant_id=tenant_id,
        answer=lambda _: StoredAnswer(b"", 204, {}, ""),
    )
    try:
        return wiring.runner.run(call).outcome
    except TenantUnknown as unknown:
        raise failure("keys", f"there is no tenant {tenant_id}") from unknown
    except DatabaseUnavailable as gone:
        raise failure("keys", f"no connection to the database: {gone}") from gone


def _wiring() -> "Wiring":
    from common.wiring import edge

    return edge()
