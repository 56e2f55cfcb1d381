"""What Tandem is told, from nothing at all to everything wrong."""

import contextlib
import os
import socket
import stat
import tomllib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.config import Address, Listen, PortRange, default_data_dir, inherited, lan_address, load
from gateway.errors import ConfigError


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("TANDEM_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def read(tmp_path):
    """Load a configuration with this text as its file."""

    def read(text, **options):
        path = tmp_path / "tandem.toml"
        path.write_text(text)
        return load(path, tmp_path / "data", **options)

    return read


def complaint(read, text):
    with pytest.raises(ConfigError) as caught:
        read(text)
    return str(caught.value)


def test_nothing_at_all_is_a_configuration(tmp_path):
    config = load(None, tmp_path / "data")

    assert str(config.http.listen) == "127.0.0.1:8080"
    assert list(map(str, config.sip.listen)) == [
        "udp:127.0.0.1:5060",
        "tcp:127.0.0.1:5060",
        "ws:127.0.0.1:5066",
    ]
    assert (config.media.announced, str(config.media.ports)) == ("127.0.0.1", "10000-29999")
    assert [user.name for user in config.users] == ["alice", "bob"]
    assert [application.key for application in config.applications] == [config.users[0].application]
    assert config.trunks == ()


def test_secrets_are_made_once_and_kept(tmp_path):
    first = load(None, tmp_path / "data")
    second = load(None, tmp_path / "data")

    assert first == second
    assert first.users[0].password != first.users[1].password


def test_secrets_are_readable_by_their_owner_only(tmp_path):
    load(None, tmp_path / "data")

    assert stat.S_IMODE((tmp_path / "data" / "secrets.toml").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secrets.toml"]


def test_secrets_do_not_show_in_a_repr(tmp_path):
    config = load(None, tmp_path / "data")

    assert config.users[0].password not in repr(config)
    assert config.applications[0].secret not in repr(config)


def test_a_look_makes_no_secrets(tmp_path):
    config = load(None, tmp_path / "data", make_secrets=False)

    assert config.users[0].password == "made at the first start"
    assert not (tmp_path / "data").exists()


def test_a_secrets_file_with_a_hole_names_what_is_missing(tmp_path):
    load(None, tmp_path)
    (tmp_path / "secrets.toml").write_text('alice = "x"\n')

    with pytest.raises(ConfigError, match="application_key"):
        load(None, tmp_path)


def test_a_data_directory_that_is_a_file_is_named(tmp_path):
    (tmp_path / "data").write_text("")

    with pytest.raises(ConfigError, match=str(tmp_path / "data")):
        load(None, tmp_path / "data")


def test_every_key_of_the_file_is_read(read):
    config = read("""
[http]
listen = "[::1]:8081"
public_url = "https://voice.example.com/"
call_from = false
timestamp_window_s = 60
requests_per_s = 20
[sip]
listen = ["udp:192.0.2.1:5062", "tls:[2001:db8::1]:5061"]
advertised = "sip.example.com"
certificate = "chain.pem"
key = "key.pem"
[media]
address = "0.0.0.0"
advertised = "203.0.113.7"
ports = "20001-20010"
force_tick = true
[store]
url = "postgresql+asyncpg://tandem@db/tandem"
[callbacks]
allow = ["10.0.0.0/8", "192.0.2.7"]
[log]
level = "debug"
format = "json"
[[applications]]
key = "one"
secret = "c2VjcmV0"
callback = "http://127.0.0.1:9000/"
verified = ["+46709990001"]
[[users]]
name = "carol"
password = "hunter2"
[[numbers]]
number = "+46700000001"
application = "one"
[[trunks]]
name = "carrier"
uri = "sip:192.0.2.10:5060;transport=udp"
codecs = ["G729", "PCMA"]
prefix = "+46"
""")

    assert config.http.listen == Address("::1", 8081)
    assert config.http.url == "https://voice.example.com"
    assert config.sip.listen[1] == Listen("tls", "2001:db8::1", 5061)
    assert list(config.media.ports.pairs) == [20002, 20004, 20006, 20008]
    assert (config.users[0].application, config.numbers[0].application) == ("one", "one")
    assert config.trunks[0].codecs == ("g729", "pcma")
    assert config.callbacks.allow == ("10.0.0.0/8", "192.0.2.7/32")
    assert config.applications[0].verified == ("+46709990001",)


def test_the_environment_goes_before_the_file(read, monkeypatch):
    monkeypatch.setenv("TANDEM_SIP__LISTEN", "udp:127.0.0.1:5070,tcp:127.0.0.1:5070")
    monkeypatch.setenv("TANDEM_HTTP__LISTEN", "127.0.0.1:8090")
    monkeypatch.setenv("TANDEM_MEDIA__PORTS", "30000-30009")
    monkeypatch.setenv("TANDEM_MEDIA__FORCE_TICK", "true")

    config = read('[sip]\nlisten = ["udp:127.0.0.1:5080"]\nadvertised = "kept.example.com"')

    assert list(map(str, config.sip.listen)) == ["udp:127.0.0.1:5070", "tcp:127.0.0.1:5070"]
    assert config.sip.advertised == "kept.example.com"
    assert str(config.http.listen) == "127.0.0.1:8090"
    assert (str(config.media.ports), config.media.force_tick) == ("30000-30009", True)


def test_lists_and_tables_in_the_environment_may_be_json(tmp_path, monkeypatch):
    monkeypatch.setenv("TANDEM_SIP__LISTEN", '["udp:127.0.0.1:5070", "tcp:127.0.0.1:5070"]')
    monkeypatch.setenv("TANDEM_USERS", '[{"name": "carol", "password": "x"}]')

    config = load(None, tmp_path)

    assert len(config.sip.listen) == 2
    assert [user.name for user in config.users] == ["carol"]


def test_the_command_line_goes_before_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("TANDEM_HTTP__LISTEN", "127.0.0.1:8090")

    config = load(None, tmp_path, overrides={"http": {"listen": "127.0.0.1:8091"}})

    assert str(config.http.listen) == "127.0.0.1:8091"


def test_a_child_reads_what_the_supervisor_was_told(tmp_path, monkeypatch):
    (tmp_path / "tandem.toml").write_text('[log]\nlevel = "debug"')
    monkeypatch.setenv("TANDEM_CONFIG", str(tmp_path / "tandem.toml"))
    monkeypatch.setenv("TANDEM_DATA", str(tmp_path / "data"))

    config = inherited()

    assert (config.log.level, config.data_dir) == ("debug", tmp_path / "data")


def test_configured_users_take_the_place_of_the_made_ones(read):
    assert read("users = []").users == ()


TRUNK = "[[applications]]\nkey = 'app'\nsecret = 's'\n[[trunks]]\nname = 'a'\nuri = 'sip:h'\n"
TRUNK_MISTAKES = [
    ("register = true", "trunks[0].register: needs username and password"),
    ("username = 'x'", "trunks[0].username: needs password"),
    ("password = 'x'", "trunks[0].password: needs username"),
    ("numbers = 'national'", 'trunks[0].numbers: "national" needs country'),
    ("numbers = 'local'", "trunks[0].numbers: should be 'e164', 'plain', 'national' or 'international'"),
    ("country = '+46'", "trunks[0].country:"),
    ("caller_id = '070'", "trunks[0].caller_id:"),
    ("sources = ['192.0.2.1/24']", "trunks[0].sources[0]: '192.0.2.1/24' is no address or network"),
    ("sources = ['carrier.example']", "trunks[0].sources[0]: 'carrier.example' is no address or network"),
    ("application = 'x'", "trunks[0].application: no application has the key 'x'"),
    ("demand = 'both'\napplication = 'app'", 'trunks[0].demand: "both" needs sources and application'),
    ("max_calls = -1", "trunks[0].max_calls:"),
    ("ping_s = -1", "trunks[0].ping_s:"),
    ("registers = true", "trunks[0].registers: no such key; did you mean `register`?"),
    ("ping = 30", "trunks[0].ping: no such key; did you mean `ping_s`?"),
]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[sip]\nlisen = []", "sip.lisen: no such key; did you mean `listen`?"),
        ("[spi]\nlisten = []", "spi: no such key; did you mean `sip`?"),
        ("[[users]]\nnam = 'x'\npassword = 'y'", "users[0].nam: no such key; did you mean `name`?"),
        ("[media]\nzzz = 1", "media.zzz: no such key; there are address, advertised, ports"),
        (
            "[sip]\nlisten = ['upd:127.0.0.1:5060']",
            "sip.listen[0]: 'upd:127.0.0.1:5060' begins with none of udp:",
        ),
        ("[sip]\nlisten = ['udp:localhost:5060']", "sip.listen[0]: 'localhost' is not an IP address"),
        ("[sip]\nlisten = ['udp:127.0.0.1:70000']", "sip.listen[0]: '70000' is not a port number"),
        ("[sip]\nlisten = ['udp:::1:5060']", "sip.listen[0]: write an IPv6 address in brackets"),
        (
            "[sip]\nlisten = ['tls:127.0.0.1:5061']",
            "sip: tls:127.0.0.1:5061 needs sip.certificate and sip.key",
        ),
        ("[http]\nlisten = 8080", "http.listen:"),
        ("[media]\nports = '10-9'", "media.ports: 10-9 holds no even port with the odd one above it"),
        ("[media]\nports = 'many'", "media.ports: 'many' is not a range of ports"),
        (
            "[media]\naddress = '0.0.0.0'",
            "media: media.address 0.0.0.0 cannot be written into SDP: set media.advertised",
        ),
        (
            "[sip]\nsession_expires_s = 30",
            "sip: session_expires_s 30 is below min_session_expires_s 90",
        ),
        ("[sip]\ndigests = ['md5']", "sip.digests[0]: should be 'MD5' or 'SHA-256'"),
        ("[sip]\nrealm = 'a\"b'", "sip.realm:"),
        (
            "[registrar]\nnat_expires_s = 30",
            "registrar: min_expires_s, nat_expires_s and max_expires_s must not fall",
        ),
        ("[registrar]\npath = 'maybe'", "registrar.path: should be 'demanded' or 'accepted'"),
        ("[trace]\npcap_megabytes = 1", "trace.pcap_megabytes: should be greater than or equal to 10"),
        ("[media]\nworkers = 65", "media.workers: should be less than or equal to 64"),
        ("[log]\nlevel = 'loud'", "log.level: should be 'debug', 'info', 'warning' or 'error'"),
        ("[[users]]\nname = 'x'", "users[0].password: is missing"),
        ("[[users]]\nname = 'echo'\npassword = 'y'", "users[0].name: 'echo' is a built-in destination"),
        ("[[users]]\nname = 'a b'\npassword = 'y'", "users[0].name: 'a b' may hold"),
        (
            "[[users]]\nname = 'x'\npassword = 'y'\napplication = 'z'",
            "users[0].application: no application has the key 'z'",
        ),
        ("users = [{name='x', password='y'}, {name='x', password='z'}]", "users: 'x' stands there twice"),
        ("[[numbers]]\nnumber = '0701234567'", "numbers[0].number:"),
        (
            "[[trunks]]\nname = 'a'\nuri = 'sip:h'\ncodecs = ['OPUS']",
            "trunks[0].codecs[0]: 'OPUS' is not one of PCMU",
        ),
        *((f"{TRUNK}{keys}", said) for keys, said in TRUNK_MISTAKES),
        (
            "[http]\nlisten = '127.0.0.1:5060'",
            "sip.listen[1]: tcp 127.0.0.1:5060 is already that of http.listen",
        ),
    ],
)
def test_a_mistake_is_named_by_its_key(read, text, said):
    assert complaint(read, text).startswith(said)


def test_text_that_is_not_toml_is_named_by_file_and_line(read):
    said = complaint(read, "[sip]\nlisten = [\n")

    assert "tandem.toml: not TOML" in said
    assert "line" in said or "end of document" in said


def test_bytes_that_are_not_text_are_named_by_line(tmp_path):
    (tmp_path / "tandem.toml").write_bytes(b"# one\n# \xff\n")

    with pytest.raises(ConfigError, match=r"not UTF-8 text \(at line 2\)"):
        load(tmp_path / "tandem.toml", tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.toml: No such file"):
        load(tmp_path / "nowhere.toml", tmp_path)


def test_every_mistake_of_a_file_is_told_at_once(read):
    with pytest.raises(ConfigError) as caught:
        read("[http]\nlisten = 'x'\n[media]\nports = 'y'\n[sip]\nlisen = []")

    assert caught.value.path == "sip.lisen"
    assert [note.split(":")[0] for note in caught.value.__notes__] == ["http.listen", "media.ports"]


def test_a_mistake_in_the_environment_names_the_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("TANDEM_HTTP__LISTEN", "everywhere")

    with pytest.raises(ConfigError, match="from TANDEM_HTTP__LISTEN"):
        load(None, tmp_path)


def test_a_variable_of_no_section_is_a_mistake(tmp_path, monkeypatch):
    monkeypatch.setenv("TANDEM_SPI__LISTEN", "udp:127.0.0.1:5060")

    with pytest.raises(ConfigError, match="TANDEM_SPI__LISTEN: no such section; did you mean `sip`"):
        load(None, tmp_path)


def test_a_mistake_never_shows_a_password(read):
    assert "hunter2" not in complaint(
        read, "[[users]]\nname = 'echo'\npassword = 'hunter2'\nextra = 'hunter2'"
    )


def test_the_configuration_is_frozen(tmp_path):
    config = load(None, tmp_path)

    with pytest.raises(ValueError, match="frozen"):
        config.media.workers = 2


def test_on_the_lan_sip_and_rtp_leave_loopback_and_http_stays(tmp_path):
    address = lan_address()

    config = load(None, tmp_path, lan=True)

    assert {one.host for one in config.sip.listen} == {address}
    assert (config.sip.advertised, config.media.address, config.media.announced) == (
        address,
        address,
        address,
    )
    assert config.http.listen.host == "127.0.0.1"


def test_the_lan_address_can_be_bound():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((lan_address(), 0))


def test_the_data_directory_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_data_dir() == tmp_path / "tandem"

    monkeypatch.setenv("TANDEM_DATA", str(tmp_path / "mine"))
    assert default_data_dir() == tmp_path / "mine"


@given(first=st.integers(1, 65535), last=st.integers(1, 65535))
def test_every_pair_of_a_range_lies_in_it(first, last):
    ports = PortRange(first, last)

    assert all(port % 2 == 0 and first <= port and port + 1 <= last for port in ports.pairs)
    assert len(ports.pairs) == sum(1 for port in range(first, last) if port % 2 == 0)


@given(st.text(max_size=40))
@settings(max_examples=200)
def test_written_forms_are_read_or_refused_with_a_reason(text):
    for kind in (Address, Listen, PortRange):
        with contextlib.suppress(ValueError):
            assert kind.parse(str(kind.parse(text))) == kind.parse(text)


@given(st.binary(max_size=60))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_read_or_refused_as_a_configuration_error(tmp_path, content):
    (tmp_path / "tandem.toml").write_bytes(content)

    with contextlib.suppress(ConfigError):
        load(tmp_path / "tandem.toml", tmp_path, make_secrets=False)


def test_the_made_secrets_are_a_file_that_people_can_read(tmp_path):
    load(None, tmp_path)

    table = tomllib.loads((tmp_path / "secrets.toml").read_text())

    assert set(table) == {"application_key", "application_secret", "alice", "bob"}
