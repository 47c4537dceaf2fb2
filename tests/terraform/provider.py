"""Stands in for Google's Terraform provider: it knows every argument, and reaches no cloud.

`terraform validate`, `plan` and `test` ask a provider what its resources look like and what a
change would lead to. This one answers from google.json.gz over the plugin protocol (version 6), on
a Unix socket, where Terraform finds it by TF_REATTACH_PROVIDERS; so the real program checks names,
types and blocks, and downloads nothing. It needs the packages of requirements.lock, and runs in a
virtual environment of its own: `python provider.py SOCKET [--told]`.

What a resource is called after it was made is unknown in a plan, as with the real provider. With
`--told` the names that follow from the arguments are told, so that a test can join who may do what.
"""

import gzip
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any, Final

import grpc
import msgpack
from tf.gen import tfplugin_pb2 as wire
from tf.gen import tfplugin_pb2_grpc as service

SCHEMA: Final = Path(__file__).with_name("google.json.gz")
SOURCE: Final = "registry.terraform.io/hashicorp/google"
UNKNOWN: Final = msgpack.ExtType(0, b"\x00")
NESTING: Final = {"single": 1, "list": 2, "set": 3, "map": 4}
UNBOUNDED: Final = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]

ACCOUNT: Final = "{account_id}@{project}.iam.gserviceaccount.com"
TOLD: Final[dict[str, dict[str, str]]] = {
    "google_service_account": {
        "email": ACCOUNT,
        "member": f"serviceAccount:{ACCOUNT}",
        "name": f"projects/{{project}}/serviceAccounts/{ACCOUNT}",
    },
    "google_iam_workload_identity_pool": {
        "name": "projects/1/locations/global/workloadIdentityPools/{workload_identity_pool_id}"
    },
    "google_cloud_run_v2_service": {"uri": "https://{name}.run.example"},
    "google_kms_crypto_key": {"id": "{key_ring}/cryptoKeys/{name}"},
    "google_kms_key_ring": {"id": "projects/{project}/locations/{location}/keyRings/{name}"},
    "google_pubsub_topic": {"id": "projects/{project}/topics/{name}"},
    "google_secret_manager_secret": {"id": "projects/{project}/secrets/{secret_id}"},
    "google_sql_database_instance": {"connection_name": "{project}:{region}:{name}"},
}
ANY: Final = {"id": "projects/{project}/{type}/{name}"}

# Values that Google refuses only when a plan is applied.
BOUNDS: Final[dict[tuple[str, ...], Callable[[Any], bool]]] = {
    ("google_service_account", "account_id"): re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]").fullmatch,
    ("google_cloud_run_v2_service", "name"): re.compile(r"[a-z][a-z0-9-]{0,48}").fullmatch,
    ("google_cloud_run_v2_job", "name"): re.compile(r"[a-z][a-z0-9-]{0,48}").fullmatch,
    ("google_pubsub_subscription", "ack_deadline_seconds"): lambda it: 10 <= it <= 600,
    ("google_pubsub_subscription", "dead_letter_policy", "max_delivery_attempts"): lambda it: (
        5 <= it <= 100
    ),
    ("google_compute_ssl_policy", "min_tls_version"): re.compile(r"TLS_1_[0-3]").fullmatch,
    ("google_storage_bucket", "name"): re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]").fullmatch,
}  # fmt: skip


def unpack(value: wire.DynamicValue) -> Any:
    """What Terraform sent; None where there is nothing."""
    if value.msgpack:
        return msgpack.unpackb(value.msgpack, ext_hook=msgpack.ExtType, strict_map_key=False)
    return json.loads(value.json) if value.json else None


def pack(value: Any) -> wire.DynamicValue:
    return wire.DynamicValue(msgpack=msgpack.packb(value))


def block_of(schema: dict[str, Any]) -> wire.Schema.Block:
    """A block as the protocol has it."""
    block = wire.Schema.Block()
    for name, attribute in schema["attributes"].items():
        kind = json.dumps(attribute["type"]).encode()
        how = {key: True for key in ("required", "optional", "computed") if attribute.get(key)}
        block.attributes.append(wire.Schema.Attribute(name=name, type=kind, **how))
    for name, nested in schema["block_types"].items():
        block.block_types.append(
            wire.Schema.NestedBlock(
                type_name=name,
                block=block_of(nested["block"]),
                nesting=NESTING[nested["nesting_mode"]],
                min_items=nested.get("min_items", 0),
                max_items=nested.get("max_items", 0),
            )
        )
    return block


def out_of_bounds(type_name: str, config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The values that Google would refuse, with where they stand."""
    for (of_type, *path), holds in BOUNDS.items():
        if of_type != type_name:
            continue
        values = [config]
        for step in path:
            values = [each.get(step) for each in values if isinstance(each, dict)]
            values = [
                one for each in values for one in (each if isinstance(each, list) else [each])
            ]
        for value in values:
            if isinstance(value, int | str) and not holds(value):
                yield ".".join(path), value


class Google(service.ProviderServicer):
    """The provider, as far as Terraform asks before anything is applied."""

    def __init__(self, schemas: dict[str, Any], *, told: bool) -> None:
        schemas["provider"]["block"]["attributes"].pop("alias", None)
        self._resources = schemas["resource_schemas"]
        self._data = schemas["data_source_schemas"]
        self._told = told
        self._config: dict[str, Any] = {}
        self._answer = wire.GetProviderSchema.Response(
            provider=wire.Schema(block=block_of(schemas["provider"]["block"]))
        )
        for found, known in (
            (self._answer.resource_schemas, self._resources),
            (self._answer.data_source_schemas, self._data),
        ):
            for name, each in known.items():
                found[name].CopyFrom(wire.Schema(block=block_of(each["block"])))

    def GetProviderSchema(self, request: Any, context: Any) -> Any:
        return self._answer

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:
        return wire.ValidateProviderConfig.Response()

    def ConfigureProvider(self, request: Any, context: Any) -> Any:
        self._config = unpack(request.config) or {}
        return wire.ConfigureProvider.Response()

    def ValidateResourceConfig(self, request: Any, context: Any) -> Any:
        response = wire.ValidateResourceConfig.Response()
        for place, value in out_of_bounds(request.type_name, unpack(request.config)):
            response.diagnostics.add(
                severity=wire.Diagnostic.ERROR,
                summary="Google would refuse this value",
                detail=f"{request.type_name}: {place} cannot be {value!r}.",
            )
        return response

    def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:
        return wire.ValidateDataResourceConfig.Response()

    def UpgradeResourceState(self, request: Any, context: Any) -> Any:
        return wire.UpgradeResourceState.Response(
            upgraded_state=pack(json.loads(request.raw_state.json))
        )

    def ReadResource(self, request: Any, context: Any) -> Any:
        return wire.ReadResource.Response(new_state=request.current_state)

    def PlanResourceChange(self, request: Any, context: Any) -> Any:
        planned = unpack(request.proposed_new_state)
        if planned is None:  # it is to be destroyed
            return wire.PlanResourceChange.Response(planned_state=request.proposed_new_state)
        self._foretell(request.type_name, planned)
        return wire.PlanResourceChange.Response(planned_state=pack(planned))

    def _foretell(self, type_name: str, planned: dict[str, Any]) -> None:
        """Fill in what the cloud will answer: what is told, or that it is not known yet."""
        attributes = self._resources[type_name]["block"]["attributes"]
        known = {**self._config, **{k: v for k, v in planned.items() if v is not None}}
        told = {**ANY, **TOLD.get(type_name, {})} if self._told else {}
        for name, attribute in attributes.items():
            if planned.get(name) is None and (name == "id" or not attribute.get("optional")):
                planned[name] = _told(told.get(name), {**known, "type": type_name})

    def ReadDataSource(self, request: Any, context: Any) -> Any:
        found = unpack(request.config)
        for name, attribute in self._data[request.type_name]["block"]["attributes"].items():
            if found.get(name) is None and attribute["type"] in ("string", "number"):
                number = "123456789012"
                given = {"number": number, "project_id": self._config.get("project")}
                found[name] = given.get(name, f"told-{name}".replace("_", "-"))
                if attribute["type"] == "number":
                    found[name] = int(number)
        return wire.ReadDataSource.Response(state=pack(found))

    def GetFunctions(self, request: Any, context: Any) -> Any:
        return wire.GetFunctions.Response()

    def StopProvider(self, request: Any, context: Any) -> Any:
        return wire.StopProvider.Response()


def _told(template: str | None, known: dict[str, Any]) -> Any:
    names = re.findall(r"\{(\w+)\}", template or "")
    if template is None or not all(isinstance(known.get(name), str) for name in names):
        return UNKNOWN
    return template.format(**{name: known[name] for name in names})


def serve(socket: str, *, told: bool) -> None:
    """Answer on a socket until the process is ended; the first line says how to find it."""
    schemas = json.loads(gzip.decompress(SCHEMA.read_bytes()))["provider_schemas"][SOURCE]
    server = grpc.server(futures.ThreadPoolExecutor(8), options=UNBOUNDED)
    service.add_ProviderServicer_to_server(Google(schemas, told=told), server)
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    address = {"Network": "unix", "String": socket}
    found = {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True}
    sys.stdout.write(json.dumps({SOURCE: {**found, "Addr": address}}) + "\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    serve(sys.argv[1], told="--told" in sys.argv[2:])
