import json

import pytest

from gateway.lab.measures import Gap
from gateway.lab.quality import CallReport, burst_ratio, mos, mos_of_rating, rating

GOOD = CallReport(
    target="sip:echo@127.0.0.1",
    outcome="answered",
    codec="pcmu",
    codec_reason="the first of theirs",
    set_up_ms=12.3456,
    duration_s=5.0,
    packets_sent=250,
    packets_received=240,
    packets_lost=10,
    packets_late=2,
    packets_duplicate=1,
    packets_out_of_order=3,
    mean_burst=2.5,
    jitter_ms=0.123456,
    delay_ms=31.0,
    correlation=0.98765,
    gaps=(Gap(100.0, 20.0), Gap(300.0, 30.0)),
    digits_heard="12#",
)


class TestEModel:
    """ITU-T G.107; the default rating 93.2 is MOS 4.41."""

    def test_a_clean_g711_call_is_the_default_connection(self):
        assert rating("pcma", loss_pct=0) == pytest.approx(93.2)
        assert mos("pcma", loss_pct=0) == 4.41

    @pytest.mark.parametrize(
        ("delay_ms", "cost"), [(50, 0), (100, 0), (200, 3.04), (400, 24.07), (500, 30.64)]
    )
    def test_delay_costs_from_100_ms_on(self, delay_ms: float, cost: float):
        assert 93.2 - rating("pcmu", loss_pct=0, delay_ms=delay_ms) == pytest.approx(cost, abs=0.01)

    def test_a_codec_costs_its_ie(self):
        assert rating("g729", loss_pct=0) == pytest.approx(93.2 - 11)
        assert rating("ilbc", loss_pct=0) == pytest.approx(93.2 - 11)

    def test_loss_equal_to_the_robustness_costs_half_of_what_is_left(self):
        assert rating("g729", loss_pct=19.0) == pytest.approx(93.2 - 11 - 84 / 2)

    def test_bursts_are_worse_than_single_losses(self):
        assert mos("pcmu", loss_pct=5, burst=3) < mos("pcmu", loss_pct=5)

    def test_burst_ratio_compares_with_chance(self):
        assert burst_ratio(0.5, 2.0) == 1.0
        assert burst_ratio(0.0, 0.0) == 1.0
        assert burst_ratio(0.1, 5.0) == pytest.approx(4.5)

    @pytest.mark.parametrize(
        ("r", "score"), [(-5, 1.0), (0, 1.0), (3, 1.0), (50, 2.575), (100, 4.5), (120, 4.5)]
    )
    def test_the_score_stays_within_1_and_4_5(self, r: float, score: float):
        assert mos_of_rating(r) == pytest.approx(score)

    def test_an_unknown_codec_is_rated_humbly(self):
        assert rating("speex", loss_pct=1) == rating("g729", loss_pct=1)


class TestReport:
    def test_loss_counts_what_the_ear_missed(self):
        assert GOOD.loss_pct == pytest.approx(100 * 12 / 250)
        assert CallReport(target="a", outcome="486 Busy Here").loss_pct == 0

    def test_the_score_is_that_of_codec_loss_burst_and_delay(self):
        assert GOOD.mos == mos("pcmu", loss_pct=4.8, delay_ms=31, burst=2.5 * 0.952)

    def test_a_call_without_media_has_no_score(self):
        assert CallReport(target="a", outcome="486 Busy Here").mos is None
        assert CallReport(target="a", outcome="answered", codec="pcmu", packets_sent=50).mos is None

    def test_json_holds_every_field_in_json_types_and_what_follows_from_them(self):
        document = json.loads(GOOD.to_json())

        assert document["set_up_ms"] == 12.346
        assert document["gaps"] == [
            {"start_ms": 100.0, "duration_ms": 20.0},
            {"start_ms": 300.0, "duration_ms": 30.0},
        ]
        assert (document["loss_pct"], document["mos"], document["gap_ms"]) == (4.8, GOOD.mos, 50.0)
        assert set(CallReport.__dataclass_fields__) < set(document)

    def test_text_has_one_aligned_line_a_fact(self):
        assert GOOD.to_text().splitlines() == [
            "call      sip:echo@127.0.0.1: answered",
            "set-up    12 ms, then 5.0 s",
            "codec     pcmu (the first of theirs)",
            "packets   250 sent, 240 received",
            "trouble   10 lost, 2 late, 1 duplicate, 3 out of order (4.8 % missed)",
            "jitter    0.1 ms",
            "delay     31 ms one way",
            "likeness  0.988 of 1",
            "gaps      20 ms at 100, 30 ms at 300",
            "digits    12#",
            f"quality   MOS {GOOD.mos:.2f} of 4.5 (estimated, ITU-T G.107)",
        ]

    def test_text_leaves_out_what_was_not_measured(self):
        assert (
            CallReport(target="sip:bob@x", outcome="486 Busy Here").to_text()
            == "call  sip:bob@x: 486 Busy Here"
        )
