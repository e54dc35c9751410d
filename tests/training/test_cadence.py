import time

from xcos_tf.training.loop import Cadence


def test_steps_make_it_due():
    cadence = Cadence(3)
    assert [step for step in range(1, 10) if cadence.due(step)] == [3, 6, 9]


def test_minutes_make_it_due_too(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    cadence = Cadence(10, minutes=2)
    due = []
    for step in range(1, 21):
        now[0] += 30
        if cadence.due(step):
            due.append(step)
    # Step 10 comes a minute after step 8, and the minutes start anew.
    assert due == [4, 8, 10, 14, 18, 20]
