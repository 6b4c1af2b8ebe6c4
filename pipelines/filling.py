"""Which rows of which store table a batch of a file becomes, under one source of a mapping."""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.emails import email_class
from features.tables import MICROSECONDS_PER_DAY, PROFILE_COLUMNS
from pipelines import attributes
from pipelines.converting import Integers, Mask, TextBatch, present
from pipelines.sources import STAGE_NAMES, Event, Stage, Value, same_name

ERASED: Final = "this lead was erased on request"
MICROSECONDS_PER_MINUTE: Final = MICROSECONDS_PER_DAY // (24 * 60)

_TIME: Final = pa.timestamp("us", tz="UTC")
_TEXT: Final = pa.scalar(None, pa.string())


@dataclass(frozen=True)
class Filling:
    """Rows for one table, and the row of the batch that each comes from."""

    table: str
    rows: pa.Table
    origin: Integers


def fill(batch: TextBatch) -> list[Filling]:
    """Rows for every table that the batch's source fills, in the order in which they are to be stored.

    Rows of `batch` that turn out wrong on the way get their reason there; rows made of them before are to be dropped.

    Raises
    ------
    InputError
        Times without a zone, or dates of which day and month cannot be told apart: a setting of the mapping mends it.
    """
    source = batch.plan.source
    everywhere = batch.everywhere
    fillings: list[Filling] = []
    lead_id = batch.text(source.lead_id)
    if source.lead_id is not None:
        batch.refuse(everywhere & ~present(lead_id), "no lead_id")
        if batch.plan.erased:
            erased = pc.is_in(lead_id, pa.array(sorted(batch.plan.erased)))
            batch.refuse(np.asarray(erased, dtype=np.bool_), ERASED)
    created = known = None
    if source.created_at is not None:
        created = known = batch.moment(source.created_at, "created_at", everywhere)
    if source.known_at is not None and batch.has(source.known_at):
        known = batch.moment(source.known_at, "known_at", everywhere)
    if created is not None and known is not None:
        leads = {"lead_id": lead_id, "created_at": _time(created), "known_at": _time(known)}
        fillings.append(_filling("leads", everywhere, leads))
    if source.contact is not None:
        fillings.append(_contacts(batch, lead_id))
    if known is not None and (source.profile or source.contact or batch.plan.attributes):
        fillings.append(_profiles(batch, lead_id, known))
    fillings += [_events(batch, event, lead_id, created) for event in source.event]
    fillings += [_stage_changes(batch, stage, lead_id, created) for stage in source.stage]
    if source.rule_points is not None:
        points = {
            "lead_id": lead_id,
            "known_at": _time(batch.moment(source.rule_points.known_at, "known_at", everywhere)),
            "points": batch.number(source.rule_points.points, "points", everywhere, needed=True),
        }
        fillings.append(_filling("rule_points", everywhere, points))
    if source.channel_cost is not None:
        fillings.append(_channel_costs(batch))
    if source.objection is not None:
        since = _time(batch.moment(source.objection.since, "since", everywhere))
        fillings.append(_filling("objections", everywhere, {"lead_id": lead_id, "since": since}))
    filled = np.zeros(batch.count, np.bool_)
    for filling in fillings:
        filled[filling.origin] = True
    batch.note(int((batch.sound & ~filled).sum()), "rows that fill no table, since no condition of the mapping holds")
    return fillings


def _filling(table: str, mask: Mask, columns: dict[str, Any]) -> Filling:
    rows = np.flatnonzero(mask)
    return Filling(table, pa.table(columns).take(pa.array(rows)), rows)


def _time(micros: Integers) -> pa.Array:
    return pa.array(micros).cast(_TIME)


def _contacts(batch: TextBatch, lead_id: pa.Array) -> Filling:
    contact = batch.plan.source.contact
    assert contact is not None
    columns = {name: batch.text(getattr(contact, name)) for name in type(contact).model_fields}
    anything = np.logical_or.reduce([present(column) for column in columns.values()])
    return _filling("contacts", anything, {"lead_id": lead_id, **columns})


def _profiles(batch: TextBatch, lead_id: pa.Array, known: Integers) -> Filling:
    source = batch.plan.source
    columns: dict[str, pa.Array] = {}
    for name in PROFILE_COLUMNS:
        value: Value | None = getattr(source.profile, name, None)
        columns[name] = batch.text(value)
    if source.contact is not None and batch.has(source.contact.email):
        columns["email_class"] = _email_classes(batch.text(source.contact.email))
    said = pc.utf8_lower(columns["direction"])
    columns["direction"] = pc.if_else(pc.is_in(said, pa.array(["inbound", "outbound"])), said, _TEXT)
    unclear = present(said) & ~present(columns["direction"])
    batch.note(int(unclear.sum()), "direction: values other than inbound and outbound, left out")
    texts = {attribute.name: batch.attribute(attribute) for attribute in batch.plan.attributes}
    if texts:
        columns["attributes"] = attributes.as_json(texts, batch.count)
    # A file that says nothing about its leads has no profiles; one that does has a profile for each row.
    says = any(batch.has(getattr(source.profile, name, None)) for name in PROFILE_COLUMNS) or bool(texts)
    mask = batch.everywhere if says else present(columns["email_class"])
    return _filling("profiles", mask, {"lead_id": lead_id, "known_at": _time(known), **columns})


def _email_classes(text: pa.Array) -> pa.Array:
    coded = text.dictionary_encode()
    classes = [email_class(address) for address in coded.dictionary.to_pylist()]
    return pa.array(classes, pa.string()).take(coded.indices)


def _at(batch: TextBatch, value: Value, field: str, mask: Mask, created: Integers | None) -> Integers:
    if created is not None and batch.plan.source.is_creation(value):
        return created
    return batch.moment(value, field, mask)


def _events(batch: TextBatch, event: Event, lead_id: pa.Array, created: Integers | None) -> Filling:
    mask = batch.when(event.when)
    occurred = _at(batch, event.at, "occurred_at", mask, created)
    types = batch.required(event.type, "type", mask)
    value = batch.number(event.value, "value", mask)
    known = batch.moment(event.known_at, "known_at", mask) if event.known_at and batch.has(event.known_at) else occurred
    if event.event_id is not None and batch.has(event.event_id):
        event_id = batch.required(event.event_id, "event_id", mask)
    else:
        event_id = pa.array(_event_ids(lead_id, occurred, types, value), pa.string())
    columns = {"event_id": event_id, "lead_id": lead_id, "type": types, "value": value}
    return _filling("events", mask, columns | {"occurred_at": _time(occurred), "known_at": _time(known)})


def _event_ids(lead_id: pa.Array, occurred: Integers, types: pa.Array, value: pa.Array) -> list[str]:
    """SHA-256 of what an event is, so that the same event read twice is one event.

    No text here holds a NUL character: such rows are refused before.
    """
    rows = zip(lead_id.to_pylist(), occurred.tolist(), types.to_pylist(), value.to_pylist(), strict=True)
    return [
        hashlib.sha256(f"{lead}\0{at}\0{kind}\0{'' if number is None else repr(number)}".encode()).hexdigest()
        for lead, at, kind, number in rows
    ]


def _stage_changes(batch: TextBatch, stage: Stage, lead_id: pa.Array, created: Integers | None) -> Filling:
    mask = batch.when(stage.when)
    names = batch.text(stage.stage)
    if created is not None and stage.stage.constant is None:
        # A lead that has entered no stage yet is no mistake in a file of leads.
        mask &= present(names) | present(batch.text(stage.at))
    batch.refuse(mask & ~present(names), "no stage")
    coded = names.dictionary_encode()
    stages = [STAGE_NAMES.get(same_name(name)) for name in coded.dictionary.to_pylist()]
    known_names = pa.array(stages, pa.string()).take(coded.indices)
    unknown = mask & present(names) & ~present(known_names)
    batch.refuse(unknown, "unknown stage")
    for name in sorted(set(names.filter(pa.array(unknown)).to_pylist())):
        count = int(pc.sum(pc.equal(names, name)).as_py())
        batch.note(count, f"stage {name!r} is not known; say which one it is in [source.replace] of the mapping")
    entered = _at(batch, stage.at, "entered_at", mask, created) + stage.after_minutes * MICROSECONDS_PER_MINUTE
    known = batch.moment(stage.known_at, "known_at", mask) if stage.known_at and batch.has(stage.known_at) else entered
    columns = {
        "lead_id": lead_id,
        "stage": known_names,
        "entered_at": _time(entered),
        "known_at": _time(known),
        "amount": batch.number(stage.amount, "amount", mask),
        "reason": batch.text(stage.reason),
    }
    return _filling("stage_changes", mask, columns)


def _channel_costs(batch: TextBatch) -> Filling:
    source = batch.plan.source.channel_cost
    assert source is not None
    mask = batch.everywhere
    months = batch.month(source.month, "month", mask)
    cost = batch.number(source.cost, "cost", mask, needed=True)
    batch.refuse(np.asarray(pc.less(cost, 0).fill_null(False), dtype=np.bool_), "cost is negative")
    columns = {"channel": batch.required(source.channel, "channel", mask), "month": months, "cost": cost}
    return _filling("channel_costs", mask, columns)
