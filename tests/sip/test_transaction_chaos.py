"""Whatever a network and a forgetful user do, the layer neither fails nor keeps anything."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import LocalError
from gateway.sip.message import respond
from gateway.sip.transaction import RequestArrived, TransactionEnded
from gateway.testing.transactions import End, make_request

BRANCHES = ["z9hG4bK1", "z9hG4bK2", "old"]
METHODS = ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"]
STATUSES = [100, 180, 200, 302, 486, 603]

request_comes = st.tuples(st.just("request"), st.sampled_from(METHODS), st.sampled_from(BRANCHES))
response_comes = st.tuples(st.just("response"), st.integers(0, 3), st.sampled_from(STATUSES))
user_answers = st.tuples(st.just("answer"), st.integers(0, 3), st.sampled_from(STATUSES))
user_asks = st.tuples(st.just("ask"), st.sampled_from(["INVITE", "OPTIONS"]), st.integers(0, 1))
user_cancels = st.tuples(st.just("cancel"), st.integers(0, 3), st.just(0))
time_passes = st.tuples(st.just("wait"), st.sampled_from([0.1, 0.6, 6, 33]), st.just(0))
connection_breaks = st.tuples(st.just("break"), st.just(0), st.just(0))
stories = st.lists(
    request_comes
    | response_comes
    | user_answers
    | user_asks
    | user_cancels
    | time_passes
    | connection_breaks,
    max_size=30,
)


@settings(max_examples=200)
@given(stories, st.sampled_from(["udp", "tcp"]))
def test_no_story_breaks_the_layer_and_every_transaction_ends_once(story: list[tuple], transport: str):
    end = End(transport=transport)
    asked, arrived, ended = [], [], []
    for what, which, how in story:
        if what == "request":
            end.hear(make_request(which, branch=how))
        elif what == "ask":
            request = make_request(which, branch=f"z9hG4bKours{len(asked)}")
            asked.append((end.ask(request), request))
        elif what == "response" and which < len(asked):
            end.hear(respond(asked[which][1], how, to_tag="x"))
        elif what == "cancel" and which < len(asked) and asked[which][0].method == "INVITE":
            end.layer.cancel(asked[which][0], end.now)
        elif what == "answer" and which < len(arrived):
            try:
                end.answer(arrived[which], how)
            except LocalError:
                pass  # the story's user may be wrong, and is told so
        elif what == "wait":
            end.pass_time(which)
        elif what == "break":
            end.layer.flow_closed(end.flow, end.now)
        for event in end.heard():
            arrived += [event] if isinstance(event, RequestArrived) else []
            ended += [event.key] if isinstance(event, TransactionEnded) else []
    end.pass_time(1000)
    ended += [event.key for event in end.heard() if isinstance(event, TransactionEnded)]

    assert (len(end.layer), end.layer.next_deadline()) == (0, None)
    assert sorted(ended) == sorted([key for key, _ in asked] + [event.key for event in arrived])
