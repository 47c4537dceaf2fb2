"""An export of a customer is written as it is read: one document, in pieces.

It is JSON whose members come in the order of its model, so that no more than a piece of it is held.
"""

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from common.contracts.customer_exports import CustomerExport, ExportedPaymentView
from common.contracts.customers import StoredMethodView
from common.domain.customer_export import Exported, ExportedPayment, Piece
from common.domain.stored_method import StoredMethod
from common.ports.powers import Powers
from common.ports.transaction import Transaction

_MEMBERS: Final = {"paymentMethods": StoredMethod, "payments": ExportedPayment}


def pieces_of(export: CustomerExport) -> Iterator[Piece]:
    """What is to be read, one after the other."""
    return export.asked.pieces()


def read_piece(piece: Piece, tx: Transaction) -> Exported:
    """The things of a piece, in the order of their ids."""
    return tx.customers.read_export(piece)


def write(export: CustomerExport, pieces: Iterator[Exported], powers: Powers) -> Iterator[bytes]:
    """The document. Raises ValueError where a thing is missing of those that were found."""
    begun = export.model_dump_json(include={"taken_at", "customer"})
    yield begun.removesuffix("}").encode()
    things = groupby((each for piece in pieces for each in piece), type)
    counts, kind, group = dict.fromkeys(_MEMBERS, 0), *next(things, (None, iter(())))
    for member, wanted in _MEMBERS.items():
        yield f',"{member}":['.encode()
        if kind is wanted:
            for each in group:
                yield _written(each, is_first=not counts[member])
                counts[member] += 1
            kind, group = next(things, (None, iter(())))
        yield b"]"
    if sum(counts.values()) != export.asked.records:
        raise ValueError("what was found of the customer was not found again")
    yield f',"end":{json.dumps(counts)}}}'.encode()


def _written(each: StoredMethod | ExportedPayment, *, is_first: bool) -> bytes:
    """A thing, with what parts it from the one before it."""
    view = (
        StoredMethodView.of(each)
        if isinstance(each, StoredMethod)
        else ExportedPaymentView.of(each)
    )
    return (b"" if is_first else b",") + view.model_dump_json().encode()
