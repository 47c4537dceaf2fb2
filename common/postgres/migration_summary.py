"""What a run of migrations did, schema by schema, and how it says so."""

from collections import Counter
from typing import Literal
from uuid import UUID

from common.domain.dataclass import dataclass

State = Literal["moved", "unchanged", "failed", "reverted", "untouched"]


@dataclass(frozen=True, slots=True)
class SchemaOutcome:
    """What a run did to one schema: from which version to which, and why not further."""

    schema: str
    tenant_id: UUID | None
    before: int
    after: int
    state: State
    error: str = ""


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """The version of one schema, what it still lacks, and what is wrong with its history."""

    schema: str
    tenant_id: UUID | None
    version: int
    latest: int
    pending: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did, schema by schema; `exit_code` is 0 only when all of it was done."""

    outcomes: tuple[SchemaOutcome, ...]

    @property
    def exit_code(self) -> int:
        return 0 if all(each.state in ("moved", "unchanged") for each in self.outcomes) else 1

    def sentence(self) -> str:
        """Say in one line how many schemas stand where, and what failed first."""
        states = Counter(each.state for each in self.outcomes)
        line = ", ".join(f"{count} {state}" for state, count in states.items()) or "no schema"
        for kind, is_tenant in (("central", False), ("tenants", True)):
            versions = Counter(
                each.after for each in self.outcomes if (each.tenant_id is not None) is is_tenant
            )
            at = ", ".join(
                f"{count} at {version:04}" for version, count in sorted(versions.items())
            )
            line += f"; {kind}: {at}" if at else ""
        failed = next((each for each in self.outcomes if each.error), None)
        return f"{line}; first failure in {failed.schema}: {failed.error}" if failed else line

    def as_json(self) -> dict[str, object]:
        """Return the summary as JSON objects, with every schema that is not simply done."""
        return {
            "exitCode": self.exit_code,
            "summary": self.sentence(),
            "counts": dict(Counter(each.state for each in self.outcomes)),
            "schemas": [
                {
                    "schema": each.schema,
                    "before": each.before,
                    "after": each.after,
                    "state": each.state,
                    "error": each.error,
                }
                for each in self.outcomes
            ],
        }
