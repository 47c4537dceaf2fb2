"""Measurements on their way to OpenTelemetry (OPS-4): whichever exporter the environment chose."""
