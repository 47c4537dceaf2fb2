"""The map of all functions and jobs, for Terraform: what is deployed, who calls it, what it needs.

It is committed as terraform/functions.json, and a test fails when it is stale. The load balancer's
routes, the push subscriptions, the schedules and the rights of each area's service account are made
from it, so that adding a use case is adding one file.
"""

from collections.abc import Iterable
from typing import Any

from common.runtime.declaration import (
    Declaration,
    EventDeclaration,
    HttpDeclaration,
    JobDeclaration,
)


class NameDeclaredTwice(ValueError):
    """Two functions have one name, which would be one service in the cloud."""


def function_map(declarations: Iterable[Declaration]) -> dict[str, dict[str, Any]]:
    """What is deployed, by name. Raises NameDeclaredTwice."""
    found: dict[str, dict[str, Any]] = {}
    for declaration in declarations:
        if declaration.name in found:
            raise NameDeclaredTwice(declaration.name)
        found[declaration.name] = {
            "area": declaration.area,
            "source": declaration.module.replace(".", "/") + ".py",
            "needs": sorted(declaration.needs),
            **_kind(declaration),
        }
    return dict(sorted(found.items()))


def _kind(declaration: Declaration) -> dict[str, Any]:
    match declaration:
        case HttpDeclaration():
            return {
                "kind": "http",
                "method": declaration.method,
                "path": declaration.full_path,
                "scope": declaration.scope,
                "step_up": declaration.step_up,
                **({"streams": True} if declaration.streams else {}),
            }
        case EventDeclaration():
            return {"kind": "event", "event_type": declaration.event_type}
        case JobDeclaration():
            return {
                "kind": "job",
                "schedule": declaration.schedule,
                "timeout_seconds": declaration.timeout_seconds,
            }
        case _:
            raise TypeError(f"{declaration.name} is of a kind that nobody deploys")
