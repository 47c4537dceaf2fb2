"""Where a process sends what it measures, as its environment chose (OPS-4)."""

from functools import cached_property
from typing import TYPE_CHECKING

from common.domain.dataclass import dataclass
from common.runtime.settings import GOOGLE_TELEMETRY, ProcessSettings, SettingMissing

if TYPE_CHECKING:
    from common.telemetry.pipeline import Pipeline
    from common.telemetry.sink import Memory, OpenTelemetrySink


@dataclass(frozen=True)
class Measuring:
    """The part of a process that measures."""

    settings: ProcessSettings

    @cached_property
    def telemetry(self) -> "Pipeline | None":
        """Where measurements go, as the environment chose; None: nowhere. Raises SettingMissing."""
        if self.settings.telemetry not in ("", "memory", "otlp"):
            raise SettingMissing("BILLING_TELEMETRY is `otlp`, `memory`, or not set")
        if not self.settings.telemetry:
            return None
        from common.telemetry.pipeline import Pipeline

        return Pipeline(self._sink)

    @cached_property
    def memory(self) -> "Memory":
        """What was measured in this process, where that is kept."""
        from common.telemetry.sink import Memory

        return Memory()

    def _sink(self) -> "OpenTelemetrySink":
        """OpenTelemetry's SDK. Asked for by the thread that feeds it, not by one that works."""
        from common.telemetry.sink import otlp_sink

        settings, resource = self.settings, self._resource()
        if settings.telemetry == "memory":
            return self.memory.sink(resource)
        session = None
        if settings.telemetry_url.rstrip("/") == GOOGLE_TELEMETRY:
            from common.google.sessions import authorized_session

            session = authorized_session()
        return otlp_sink(resource, settings.telemetry_url, session)

    def _resource(self) -> dict[str, str]:
        """Which process measures. Each instance counts for itself, and says so."""
        from uuid import uuid4

        from common.ports.version import VERSION

        settings = self.settings
        told = {
            "service.name": settings.service,
            "service.namespace": "billing",
            "service.version": VERSION,
            "service.instance.id": str(uuid4()),
            "faas.name": settings.service,
            "faas.version": settings.revision,
            "cloud.provider": "gcp" if settings.stack == "google" else "",
            "cloud.platform": "gcp_cloud_run" if settings.stack == "google" else "",
            "cloud.region": settings.region,
            "gcp.project_id": settings.project,
        }
        return {name: value for name, value in told.items() if value}
