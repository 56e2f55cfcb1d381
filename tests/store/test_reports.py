"""Reports: sums by user and number, records by kind and day, counters."""

from gateway.switch.records import CallKind, CallReason, CallResult, Identity, IdentityType, Usage
from gateway.testing.stores import KEY, a_call, ended

ALICE = Identity(IdentityType.USERNAME, "alice")
SWEDE = Identity(IdentityType.NUMBER, "+46700000001")
OWNED = Identity(IdentityType.DID, "+46700000001")


def failed(record):
    return ended(record, answered_at=None, result=CallResult.NOANSWER, reason=CallReason.TIMEOUT, debit=None)


def after(keep, *records, ask):
    """Close calls, and return what `ask` makes of the store."""

    async def story(store):
        for record in records:
            await store.calls.finish(record)
        return await ask(store)

    return keep(story)


def usage(keep, *records, identity=SWEDE, start=0.0, stop=5_000.0, domain=None, application=KEY):
    return after(
        keep,
        *records,
        ask=lambda store: store.reports.usage(application, identity, start, stop, domain),
    )


def test_a_user_without_calls_has_none(keep):
    assert usage(keep) == Usage(0, 0, 0)


def test_answered_calls_and_others_are_counted_apart(keep):
    calls = (ended(a_call("1")), ended(a_call("2", started_at=1_100.0)), failed(a_call("3")))

    assert usage(keep, *calls) == Usage(success=2, duration_s=30, failed=1)


def test_a_call_belongs_to_the_time_in_which_it_began(keep):
    calls = (ended(a_call("1")), ended(a_call("2", started_at=1_100.0)))

    assert usage(keep, *calls, start=1_000.0, stop=1_100.0).success == 1


def test_a_call_is_its_callees_too(keep):
    assert usage(keep, ended(a_call()), identity=Identity(IdentityType.NUMBER, "+12017777777")).success == 1


def test_a_number_is_the_same_whether_we_own_it_or_not(keep):
    assert usage(keep, ended(a_call(called=OWNED, caller=None))).success == 1


def test_the_name_of_a_user_is_no_number(keep):
    assert usage(keep, ended(a_call(user="alice")), identity=ALICE).success == 1
    assert usage(keep, identity=Identity(IdentityType.EMAIL, "alice")).success == 0


def test_a_domain_narrows_it(keep):
    calls = (ended(a_call("1")), ended(a_call("2", domain="mxp")))

    assert usage(keep, *calls, domain="PSTN").success == 1


def test_other_applications_calls_are_their_own(keep):
    assert usage(keep, ended(a_call()), application="other") == Usage(0, 0, 0)


def test_calls_in_progress_are_in_no_report(keep):
    async def ask(store):
        await store.calls.begin(a_call())
        return await store.reports.usage(KEY, SWEDE, 0.0, 5_000.0)

    assert after(keep, ask=ask) == Usage(0, 0, 0)


def test_records_come_by_kind_in_the_order_of_their_start_however_many(keep, monkeypatch):
    monkeypatch.setattr("gateway.store.reports._PAGE", 3)
    records = [ended(a_call(f"call-{n}", started_at=1_000.0 + n // 2)) for n in range(8)]
    other = ended(a_call("other", kind=CallKind.APP_APP))

    async def ask(store):
        return [
            record.call
            async for record in store.reports.finished(CallKind.PHONE_TERMINATED, 1_000.0, 1_003.0, KEY)
        ]

    assert after(keep, *reversed(records), other, ask=ask) == [f"call-{n}" for n in range(6)]


def test_current_calls_are_counted(keep):
    async def ask(store):
        await store.calls.begin(a_call("mine"))
        await store.calls.begin(a_call("theirs", application="other"))
        every, mine = (
            await store.reports.counter("currentcalls"),
            await store.reports.counter("currentcalls", KEY.lower()),
        )
        return every[0], mine[0], await store.reports.counter("nothing")

    assert after(keep, ended(a_call("over")), ask=ask) == (2, 1, None)
