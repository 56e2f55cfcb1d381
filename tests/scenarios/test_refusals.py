"""What goes wrong is answered with a status and a message that names the cause; nothing else is disturbed."""

import asyncio
import socket

import pytest

from gateway.testing.processes import tandem
from gateway.testing.wire_phone import wire_phone


@pytest.mark.parametrize(
    ("user", "password"), [("alice", "wrong"), ("mallory", "guessed")], ids=["password", "user"]
)
def test_who_cannot_prove_who_it_is_gets_401_and_is_told_what_to_give(switch, user, password):
    outcome = tandem("call", switch.uri("echo"), "--user", user, "--password", password, "--json")

    assert outcome.status == 1
    assert outcome.report["status"] == 401
    assert "--password" in outcome.report["hint"]


def test_a_wrong_password_does_not_register(switch):
    registrar = f"sip:{switch.address}"

    outcome = tandem("answer", "--registrar", registrar, "--user", "bob", "--password", "wrong", "--json")

    assert outcome.status == 1
    assert outcome.report["status"] == 401


@pytest.mark.parametrize(("destination", "status"), [("nobody", 404), ("bob", 480), ("+46700000999", 404)])
def test_a_destination_that_is_not_there_is_answered_so(switch, destination, status):
    outcome = switch.call(destination)

    assert outcome.status == 1
    assert outcome.report["status"] == status
    assert switch.wait_for("call.ended", dialled=destination, status=status)


@pytest.mark.parametrize(("status", "q850"), [(486, 17), (488, 65)], ids=["busy", "no common codec"])
def test_what_the_called_phone_refuses_the_caller_is_told(serve, status, q850):
    switch = serve()

    async def scenario():
        async with wire_phone("bob", switch) as bob:
            await bob.phone.register()
            calling = asyncio.create_task(asyncio.to_thread(switch.call, "bob"))
            (await bob.phone.rung()).reject(status)
            return await calling

    assert asyncio.run(scenario()).report["status"] == status
    assert switch.wait_for("call.ended")["q850"] == q850


def test_a_caller_without_a_common_codec_gets_488_and_a_warning_that_says_so(switch):
    async def scenario():
        async with wire_phone("alice", switch, formats=(9,)) as alice:
            call = await alice.phone.call("echo")
            return await call.ended()

    cause = asyncio.run(scenario())

    assert cause.status == 488
    ended = switch.wait_for("call.ended", status=488)
    assert "G722" in ended["cause"]


def test_a_malformed_invite_is_answered_400_and_the_next_call_is_as_good_as_ever(switch):
    invite = (
        f"INVITE sip:echo@{switch.address} SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKmalformed;rport\r\n"
        "From: <sip:alice@127.0.0.1>;tag=1\r\nTo: <sip:echo@127.0.0.1>\r\n"
        "Call-ID: malformed\r\nCSeq: one INVITE\r\nContent-Length: 0\r\n\r\n"
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(5)
        peer.sendto(invite.format(port=peer.getsockname()[1]).encode(), ("127.0.0.1", switch.sip_port))

        answer = peer.recv(4096).decode()

    assert answer.startswith("SIP/2.0 400 ")
    assert "CSeq" in answer.split("\r\n")[0]
    assert switch.call("echo", "--duration", "0.5").status == 0


def test_a_taken_port_names_its_holder_and_the_flag_that_changes_it(switch, tmp_path):
    outcome = tandem("serve", "--config", str(switch.config), "--data", str(tmp_path))

    assert outcome.status == 1
    assert f"udp:127.0.0.1:{switch.sip_port}" in outcome.complaints
    assert "--sip" in outcome.complaints
    assert "--http" in outcome.complaints
    assert str(switch.child("switch")) in outcome.complaints
    assert switch.get("/healthz")[0] == 200


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[sip]\nlisten = ['udp:127.0.0.1:99999']", "sip.listen[0]"),
        ("[spi]\n", "sip"),
        ("[sip\n", "not TOML"),
    ],
    ids=["value", "key", "syntax"],
)
def test_an_unreadable_configuration_is_named_by_its_key_or_line(tmp_path, text, told):
    config = tmp_path / "tandem.toml"
    config.write_text(text)

    outcome = tandem("serve", "--config", str(config), "--data", str(tmp_path / "data"))

    assert outcome.status == 2
    assert told in outcome.complaints


def test_a_configuration_that_is_not_there_is_named(tmp_path):
    outcome = tandem("serve", "--config", str(tmp_path / "missing.toml"), "--data", str(tmp_path))

    assert outcome.status == 2
    assert "missing.toml" in outcome.complaints
