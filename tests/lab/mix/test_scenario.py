"""A scenario says what it means, and a mistake is told by the path of its key."""

import tomllib

import pytest

from gateway.errors import ConfigError, LocalError
from gateway.lab.mix.scenario import (
    EXAMPLE,
    Change,
    Party,
    RoomSettings,
    Scenario,
    read_scenario,
    scenario_of,
)


def parties(*keys):
    return {"party": [{"name": "anna"}, *keys]}


def test_what_is_not_said_is_plain():
    (anna,) = scenario_of(parties()).party

    assert (anna.codec, anna.ptime_ms, anna.loss, anna.join_s, anna.muted) == ("pcmu", 20, 0, 0, False)


def test_files_lie_beside_the_scenario(tmp_path):
    path = tmp_path / "meeting.toml"
    path.write_text('[[party]]\nname = "anna"\nfile = "voices/anna.wav"\n')

    assert read_scenario(path).party[0].file == tmp_path / "voices/anna.wav"


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({}, "party: Field required"),
        ({"party": []}, "party: Tuple should have at least 1 item"),
        ({"seeds": 1} | parties(), "seeds: Extra inputs"),
        ({"room": {"loudest": 65}} | parties(), "room.loudest: Input should be less than or equal to 64"),
        (parties({"name": "ben", "loss": 3}), r"party\[1\].loss: Input should be less than or equal to 1"),
        (parties({"name": "ben", "codec": "opus"}), r"party\[1\].codec: Input should be 'pcmu'"),
        (parties({"name": "../ben"}), r"party\[1\].name: String should match"),
        (parties({"name": "anna"}), r"party\[1\].name: there is a anna already"),
        (parties({"name": "ben", "coach": "bob"}), r"party\[1\].coach: there is no party bob"),
        (parties({"name": "ben", "join_s": 2, "leave_s": 2}), r"party\[1\]: leave_s: nobody leaves before"),
        (parties({"name": "ben", "codec": "ilbc", "ptime_ms": 10}), r"party\[1\]: ptime_ms: iLBC has"),
        (parties({"name": "ben", "source": "tone:9"}), r"party\[1\].source: .*a tone has 20 to 3900 Hz"),
        (
            parties({"name": "ben", "changes": [{"at_s": 1, "gain_in_db": 99}]}),
            r"party\[1\].changes\[0\].gain_in_db: Input should be less",
        ),
        (
            parties({"name": "ben", "changes": [{"muted": True}]}),
            r"party\[1\].changes\[0\].at_s: Field required",
        ),
        (
            parties({"name": "ben", "changes": [{"at_s": 1, "hold": "noise"}]}),
            r"party\[1\].changes\[0\].hold.*: .*there are tone:HZ",
        ),
    ],
)
def test_a_mistake_is_told_by_the_path_of_its_key(keys, words):
    with pytest.raises(ConfigError, match=words):
        scenario_of(keys)


def test_what_is_no_toml_is_told_by_its_place(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text("[[party]\n")

    with pytest.raises(ConfigError, match=r"bad.toml: no TOML: .*line 1"):
        read_scenario(path)


def test_a_file_that_is_not_there_is_told_by_name(tmp_path):
    with pytest.raises(LocalError, match=r"cannot read .*none\.toml: No such file"):
        read_scenario(tmp_path / "none.toml")


def test_the_example_is_a_scenario_and_shows_every_key():
    scenario = scenario_of(tomllib.loads(EXAMPLE))

    assert [party.name for party in scenario.party] == ["anna", "ben", "supervisor", "announcement"]
    for model in (Scenario, RoomSettings, Party, Change):
        assert [
            key for key in model.model_fields if f"{key} = " not in EXAMPLE and f"[{key}]" not in EXAMPLE
        ] == []
