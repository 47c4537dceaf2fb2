"""What closings leave over is counted by its size; the amount is told to nobody (OPS-4, SEC-8)."""

import json
from typing import Any

import pytest

from common.ports.publishing import EVENT_TYPE, Message
from common.ports.telemetry import RESIDUALS, VARIANCES
from common.runtime.remainders import DRAWER_CLOSED, FOLIO_CLOSED, note_remainder
from tests.adapters.test_telemetry_export import Heard

pytestmark = pytest.mark.req("OPS-4", "SEC-8")


def told(kind: str, data: Any) -> list[tuple[str, dict[str, Any]]]:
    heard = Heard()
    content = data if isinstance(data, bytes) else json.dumps(data).encode()
    note_remainder(Message("evt_1", "fol_1", {EVENT_TYPE: kind}, content), heard)
    return [(figure.name, dict(about)) for figure, _, about in heard.figures]


def money(micro: int, currency: str = "USD") -> dict[str, Any]:
    return {"amountMicro": micro, "currency": currency}


@pytest.mark.parametrize(
    ("residual", "size", "direction"),
    [
        (money(0), "none", "even"),
        (money(-10_000), "small", "short"),
        (money(100_000), "medium", "over"),
        (money(10_000_000, "JPY"), "medium", "over"),
        (money(10_000_000), "large", "over"),
    ],
)
def test_a_residual_has_a_size_in_its_currencys_minor_units(
    residual: dict[str, Any], size: str, direction: str
) -> None:
    """One cent, ten cents, ten yen and ten dollars, which are a thousand cents."""
    about = {"billing.amount.class": size, "billing.direction": direction}

    assert told(FOLIO_CLOSED, {"residual": residual}) == [(RESIDUALS.name, about)]


def test_a_drawer_is_told_by_its_id_once_a_currency() -> None:
    results = [{"variance": money(-3_000_000)}, {"variance": money(0, "EUR")}]

    found = told(DRAWER_CLOSED, {"cashDrawerId": "cdr_1", "results": results})

    assert [(name, about["billing.drawer.id"]) for name, about in found] == [
        (VARIANCES.name, "cdr_1")
    ] * 2
    assert [about["billing.amount.class"] for _, about in found] == ["medium", "none"]
    assert "3000000" not in repr(found)


@pytest.mark.parametrize("data", [b"", {}, {"residual": None}, {"residual": money(1, "XYZ")}])
def test_what_cannot_be_read_harms_nobody(data: Any) -> None:
    assert told(FOLIO_CLOSED, data) == []
    assert told("melmastoon.billing.folio.opened.v1", data) == []
