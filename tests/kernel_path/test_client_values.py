"""What may be logged, and how it looks on the wire."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest


@pytest.fixture
def log(online, tracker):
    """Logs one metric and gives back the point that arrived."""

    def one(value, key="m", **more):
        with online.start_run() as run:
            run.log_metric(key, value, **more)
        return tracker.runs[run.id]["points"][0]

    return one


NUMBERS = [
    (1, 1.0),
    (True, 1.0),
    (0.1, 0.1),
    (1e-320, 1e-320),
    (-0.0, -0.0),
    (1.7976931348623157e308, 1.7976931348623157e308),
    (Decimal("0.25"), 0.25),
    (Fraction(1, 4), 0.25),
    (np.float32(0.5), 0.5),
    (np.int64(7), 7.0),
    (np.bool_(True), 1.0),
    (np.array(3.0), 3.0),
    (np.array([[4.0]]), 4.0),
    (math.nan, "NaN"),
    (math.inf, "Infinity"),
    (-math.inf, "-Infinity"),
    (np.float32("nan"), "NaN"),
    (Decimal("Infinity"), "Infinity"),
]


def test_numbers_arrive_as_they_are(online, tracker):
    with online.start_run() as run:
        for number, (value, _) in enumerate(NUMBERS):
            run.log_metric("m", value, step=number)
    arrived = [point[1] for point in tracker.only()["points"]]
    assert arrived == [wanted for _, wanted in NUMBERS]
    assert math.copysign(1, arrived[4]) == -1


class Tensor:
    """Converts as a torch tensor does: `item` for one element, and only when detached."""

    ndim, shape = 1, (1,)
    size = property(lambda self: lambda: 1)

    def __init__(self, value, free=False):
        self.value, self.free = value, free

    def detach(self):
        return Tensor(self.value, free=True)

    def numel(self):
        return 1

    def item(self):
        assert self.free
        return self.value


def test_a_tensor_is_detached(log):
    assert log(Tensor(0.75))[1] == 0.75


@pytest.mark.parametrize(
    "value", ["0.5", b"1", None, [1.0], {"a": 1}, object(), 1 + 2j, np.array([1.0, 2.0]), np.array([]), Decimal("sNaN")]
)
def test_what_is_no_number_is_refused_with_a_sentence(mlws, value):
    run = mlws.start_run()
    with pytest.raises((TypeError, ValueError), match="Metric 'loss' got") as error:
        run.log_metric("loss", value)
    assert str(error.value).endswith(".")


def test_an_integer_without_a_float_is_refused(mlws):
    with pytest.raises(ValueError, match="too large"):
        mlws.start_run().log_metric("loss", 10**400)


@pytest.mark.parametrize("key", ["", "  ", "a" * 251, "a\nb", "a\x00", "\x7f", "\ud800"])
def test_keys_without_sense_are_refused(mlws, key):
    run = mlws.start_run()
    for log in (run.log_metric, run.log_param, run.set_tag):
        with pytest.raises(ValueError, match="key"):
            log(key, 1)


@pytest.mark.parametrize("key", [0, None, b"a", ("a",)])
def test_keys_that_are_no_text_are_refused(mlws, key):
    with pytest.raises(TypeError, match="must be a text"):
        mlws.start_run().log_metric(key, 1)


@pytest.mark.parametrize("key", ["val/loss", "å∂ 🚀", 'a"b\\c', "x" * 250, "a.b-c_d:e", "<script>", "a\u2028b", "..", "%2e"])
def test_unusual_keys_arrive(online, tracker, key):
    with online.start_run(params={key: "p"}, tags={key: "t"}) as run:
        run.log_metric(key, 1)
    stored = tracker.only()
    assert [point[0] for point in stored["points"]] == [key]
    assert (stored["params"], stored["tags"]) == ({key: "p"}, {key: "t"})


def test_steps_count_by_key_and_go_on_from_an_explicit_one(online, tracker):
    with online.start_run() as run:
        for key, step in (
            ("a", None),
            ("a", None),
            ("b", None),
            ("a", 10),
            ("a", None),
            ("b", None),
            ("a", np.int64(3)),
            ("a", 4.0),
        ):
            run.log_metric(key, 1, step)
    points = tracker.only()["points"]
    assert [point[2] for point in points if point[0] == "a"] == [0, 1, 10, 11, 3, 4]
    assert [point[2] for point in points if point[0] == "b"] == [0, 1]


@pytest.mark.parametrize("step", ["1", 1.5, math.nan, 2**63, -(2**63) - 1])
def test_steps_that_are_none_are_refused(mlws, step):
    with pytest.raises((TypeError, ValueError), match="step"):
        mlws.start_run().log_metric("a", 1, step)


def test_times_are_milliseconds_or_datetimes(log):
    assert log(1, time=1_700_000_000_123)[3] == 1_700_000_000_123
    assert log(1, time=datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc))[3] == 1_704_067_200_000


@pytest.mark.parametrize("time", ["now", -1, 1e300, math.nan, object()])
def test_times_that_are_none_are_refused(mlws, time):
    with pytest.raises((TypeError, ValueError), match="time"):
        mlws.start_run().log_metric("a", 1, time=time)


def test_with_one_bad_value_none_of_the_metrics_is_logged(online, tracker):
    with online.start_run() as run, pytest.raises(TypeError):
        run.log_metrics({"a": 1, "b": "x"})
    assert tracker.only()["points"] == []


def test_long_texts_are_cut_and_odd_ones_made_whole(online, tracker):
    with online.start_run(note="n" * 200_000) as run:
        run.log_params(
            {"long": "x" * 10_000, "none": None, "list": [1, "a"], "surrogate": "a\ud800b", "float": 0.1, "bool": True}
        )
        run.set_tag("long", "y" * 10_000)
    stored = tracker.only()
    assert len(stored["params"].pop("long")) == 6000
    assert stored["params"] == {"none": "None", "list": "[1, 'a']", "surrogate": "a?b", "float": "0.1", "bool": "True"}
    assert stored["tags"]["long"].endswith("y…")
    assert len(stored["update"]["note"]) == 100_000


@pytest.mark.parametrize("path", ["../a", "a/../../b", "/etc/passwd", "", ".", "a\x00b", "x" * 1001])
def test_paths_that_leave_the_run_are_refused(mlws, path):
    with pytest.raises(ValueError, match="path"):
        mlws.start_run().log_text("x", path)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(math.nan, "NaN"), ("NaN", "NaN"), (math.inf, "∞"), ("-Infinity", "−∞"), (0.123456789, "0.123457"), (3, "3"), ("x", "x")],
)
def test_numbers_look_the_same_everywhere(value, shown):
    from mlws.display import number

    assert number(value) == shown
