"""A batch comes to the same as its changes one by one."""

from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, insert, select

from gateway.store.applying import apply
from gateway.store.changes import CloseCall, Forget, GiveUp, KeepCall, KeepState, Put, Report, Retry
from gateway.store.rows import application_row
from gateway.store.tables import METADATA, applications, call_states, calls, outbox
from gateway.switch.records import Application, Money
from gateway.testing.stores import KEY, a_call, ended, to_tell

RICH = Application(KEY, "c2VjcmV0", balance=Money(Decimal(10), "USD"))
TABLES = (
    select(applications),
    select(calls).order_by(calls.c.call),
    select(call_states).order_by(call_states.c.call),
    select(*(column for column in outbox.c if column.name != "sequence")).order_by(outbox.c.sequence),
)


def life(number):
    """Return everything that a call may have written, in order."""
    call = a_call(f"call-{number}")
    notify, dice = f"notify-{number}", f"dice-{number}"
    return (
        KeepCall(call),
        KeepState(call.call, b"dialog"),
        KeepCall(replace(call, cli="+46700000009")),
        Put(to_tell(notify, call.call, event="notify")),
        Retry(notify, 1_030.0),
        CloseCall(ended(call), (to_tell(dice, call.call),)),
        CloseCall(ended(call, cli="twice"), (to_tell(f"{dice}-twice", call.call),)),
        KeepCall(replace(call, cli="late")),
        Report(call.call, "bad", "echo"),
        Forget(notify),
        Retry(dice, 1_040.0),
        GiveUp(dice, 1_050.0),
    )


@st.composite
def histories(draw):
    """Return parts of the lives of a few calls, mixed, each call's in its order."""
    lives = [
        [change for change in life(number) if draw(st.booleans())]
        for number in range(draw(st.integers(1, 3)))
    ]
    mixed = []
    while any(lives):
        mixed.append(draw(st.sampled_from([one for one in lives if one])).pop(0))
    return mixed


def written(*batches):
    """Return what stands in the tables after these batches."""

    engine = create_engine("sqlite://")
    with ExitStack() as open_things:
        open_things.callback(engine.dispose)
        connection = open_things.enter_context(engine.begin())
        METADATA.create_all(connection)
        connection.execute(insert(applications), {**application_row(RICH), "position": 1})
        for batch in batches:
            apply(connection, batch)
        return [connection.execute(table).all() for table in TABLES]


@settings(max_examples=60, deadline=None)
@given(history=histories())
def test_a_batch_is_its_changes_one_by_one(history):
    assert written(history) == written(*([change] for change in history))


@settings(max_examples=30, deadline=None)
@given(history=histories())
def test_what_is_applied_twice_counts_once(history):
    """A journal is read again after a crash; only attempts and what arrived meanwhile may be there once more."""
    lasting = [change for change in history if isinstance(change, KeepCall | CloseCall | Report)]

    assert written(lasting, lasting) == written(lasting)
