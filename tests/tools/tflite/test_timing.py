"""The shortest of many runs, of what has been called in turn."""

from types import SimpleNamespace

from tools.tflite import timing


def test_the_shortest_run_after_warming_up_counts_and_all_are_called_in_turn(monkeypatch):
    now, calls = [0.0], []
    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    # The shortest of all is a warm-up, which does not count.
    seconds = {"a": [1] * timing.WARM_UP + [7, 5, 6], "b": [9] * timing.WARM_UP + [20, 30, 40]}

    def run(name):
        now[0] += seconds[name][calls.count(name)]
        calls.append(name)

    assert timing.seconds_of([lambda: run("a"), lambda: run("b")], rounds=3) == [5, 20]
    assert calls == ["a", "b"] * (timing.WARM_UP + 3)
