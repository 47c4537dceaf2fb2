"""Renews the provider's schema: which arguments and blocks each resource of Google's provider has.

The provider itself is a program that has to be downloaded, and CI may not. What it knows of its
arguments is also written in the bindings that CDKTF generated from it, a package of npm (MPL-2.0,
retired at version 6.50 of the provider):

    npm pack @cdktf/provider-google@16.12.1 && tar xzf cdktf-provider-google-16.12.1.tgz
    python -m tests.terraform.bindings package

writes google.json.gz, in the shape of `terraform providers schema -json`, with the types that
`terraform/` names and no others: a type that is used for the first time needs a renewal. What the
bindings do not tell stays unknown: which arguments exclude one another, and which values are
allowed. No text of the bindings is kept, only names and types.
"""

import gzip
import json
import re
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
SCHEMA: Final = Path(__file__).with_name("google.json.gz")
SOURCE: Final = "registry.terraform.io/hashicorp/google"

USED: Final = re.compile(r'^(resource|data) "(google_\w+)"', re.MULTILINE)
FUNCTION: Final = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{\n(.*?)^\}", re.S | re.M)
CLASS: Final = re.compile(r"^class (\w+) extends cdktf\.(\w+) \{\n(.*?)^\}", re.S | re.M)
INTERFACE: Final = re.compile(r"^export interface (\w+)[^{]*\{\n(.*?)^\}", re.S | re.M)
MEMBER: Final = re.compile(r"^    readonly (\w+)(\??):", re.M)
ARGUMENT: Final = re.compile(
    r'^ +"?(?P<name>\w+)"?: \{\n'
    r" +value: (?P<value>.*),\n"
    r" +isBlock: (?P<block>true|false),\n"
    r' +type: "(?P<kind>\w+)",\n'
    r' +storageClassType: "(?P<storage>\w+)",\n',
    re.M,
)
ANSWER: Final = re.compile(
    r"// (\w+) - computed: true, optional: false, required: false\n"
    r"(?: +get \w+\(\) \{\n +return this\.get(\w+)Attribute)?"
)
SCALARS: Final = {"string": "string", "number": "number", "boolean": "bool"}
ANSWERS: Final = {"String": "string", "Number": "number"}


class Bindings:
    """The bindings of one type: its script, and the declarations beside it."""

    def __init__(self, folder: Path) -> None:
        script = (folder / "index.js").read_text(encoding="utf-8")
        declared = (folder / "index.d.ts").read_text(encoding="utf-8")
        self._blocks = dict(FUNCTION.findall(script))
        self._required = {
            name: {member for member, optional in MEMBER.findall(body) if not optional}
            for name, body in INTERFACE.findall(declared)
        }
        self._name, self._body = next(
            (name, body)
            for name, base, body in CLASS.findall(script)
            if base in ("TerraformResource", "TerraformDataSource", "TerraformProvider")
        )

    def schema(self) -> dict[str, Any]:
        """The whole type: what can be set, and what it answers."""
        settable = self._body.partition("synthesizeHclAttributes()")[2]
        found = self._block(settable, f"{self._name}Config")
        for name, answer in ANSWER.findall(self._body):
            found["attributes"].setdefault(
                name, {"type": ANSWERS.get(answer, "dynamic"), "computed": True}
            )
        return {"version": 0, "block": found}

    def _block(self, text: str, interface: str) -> dict[str, Any]:
        attributes: dict[str, Any] = {}
        blocks: dict[str, Any] = {}
        required = self._required.get(interface, set())
        for argument in ARGUMENT.finditer(text):
            member = re.findall(r"(?:struct|this)\.(?:_)?(\w+)", argument["value"])[-1]
            if member == "internalValue":
                member = re.findall(r"this\._(\w+)\.internalValue", argument["value"])[0]
            needed = member in required
            inner = self._inner(argument["value"])
            if argument["block"] == "true" and inner:
                blocks[argument["name"]] = self._nested(argument, inner, needed=needed)
            else:
                how = {"required": True} if needed else {"optional": True, "computed": True}
                attributes[argument["name"]] = {"type": _type(argument), **how}
        return {"attributes": attributes, "block_types": blocks}

    def _inner(self, value: str) -> str | None:
        """The name of the nested block whose function maps the value, if there is one."""
        return next(
            (n for n in re.findall(r"(\w+)ToHclTerraform", value) if n in self._blocks), None
        )

    def _nested(self, argument: re.Match[str], inner: str, *, needed: bool) -> dict[str, Any]:
        nesting = {"set": "set", "struct": "single"}.get(argument["kind"], "list")
        nested = {
            "nesting_mode": nesting,
            "block": self._block(self._blocks[inner], inner[0].upper() + inner[1:]),
        }
        if nesting != "single" and "listMapperHcl" not in argument["value"]:
            nested["max_items"] = 1
        if nesting != "single" and needed:
            nested["min_items"] = 1
        return nested


def _type(argument: re.Match[str]) -> Any:
    """The type of a value, in Terraform's JSON: "string", ["list", "string"] ..."""
    storage = argument["storage"]
    if storage in SCALARS:
        return SCALARS[storage]
    many = re.fullmatch(r"(string|number|boolean)(List|Map)", storage)
    if not many:
        return "dynamic"
    kind = "map" if many[2] == "Map" else ("set" if argument["kind"] == "set" else "list")
    return [kind, SCALARS[many[1]]]


def used_types(root: Path = ROOT) -> dict[str, set[str]]:
    """The types that terraform/ names: `resource` and `data`."""
    found: dict[str, set[str]] = {"resource": set(), "data": set()}
    for file in (root / "terraform").rglob("*.tf"):
        for kind, name in USED.findall(file.read_text(encoding="utf-8")):
            found[kind].add(name)
    return found


def _folder(package: Path, kind: str, name: str) -> Path:
    words = name.removeprefix("google_").replace("_", "-")
    return package / "lib" / (f"data-google-{words}" if kind == "data" else words)


def renew(package: Path) -> None:
    """Write google.json.gz from the unpacked bindings."""
    used = used_types()
    schemas: dict[str, Any] = {
        "provider": Bindings(package / "lib" / "provider").schema(),
        **{
            f"{key}_schemas": {
                name: Bindings(_folder(package, kind, name)).schema() for name in sorted(used[kind])
            }
            for kind, key in (("resource", "resource"), ("data", "data_source"))
        },
    }
    version = json.loads((package / "package.json").read_text(encoding="utf-8"))["version"]
    document = {
        "made_from": f"@cdktf/provider-google@{version}",
        "provider_schemas": {SOURCE: schemas},
    }
    text = json.dumps(document, separators=(",", ":"), sort_keys=True)
    SCHEMA.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    renew(Path(sys.argv[1]))
