"""From what was measured of each pair to means with intervals, and differences pair by pair.

Areas under curves compare maps of one verifier only: a verifier that bears more has the greater
area whatever the map. So each method is held against a random map on its own verifier, and xCos
with the others by how much each gains over that. A random map ranks cells no better than chance,
so that an agreement with cell ablation is a gain as it stands.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from tools.explanations.judging import area_name, cells_name, curve_name
from tools.explanations.rows import (
    AREAS,
    BACKWARD,
    CELLS,
    CONTROL,
    CURVES,
    DELETION,
    DISSIMILARITY,
    FORWARD,
    GENUINE,
    IMPOSTOR,
    RATIO,
    SECONDS,
    SHIFT,
    SIMILARITY,
    SWAP,
    WEIGHTS,
    XCOS,
    CurvePoint,
    Measure,
)
from tools.explanations.run import Found
from xcos_tf.explain.faithfulness.estimate import Estimate, mean_over_pairs
from xcos_tf.explain.faithfulness.fillings import FILLINGS


def measures(found: Sequence[Found], set_sha256: str) -> list[Measure]:
    """Return every mean of every contender.

    Args:
        found: of all contenders, on the same pairs, the control of each verifier among them.
        set_sha256: the set's fingerprint.
    """
    rows = []
    gains = {x.contender: _gains(x, _control(x, found)) for x in found}
    of_xcos = next((gains[x.contender] for x in found if x.contender.method.name == XCOS), {})
    for one in found:
        new = partial(_row, one, set_sha256)
        for (measure, detail), values in _faithfulness(one).items():
            gain = gains[one.contender][measure, detail]
            lead = None
            if (measure, detail) in of_xcos and one.contender.method.name not in (XCOS, CONTROL):
                lead = mean_over_pairs((gain - of_xcos[measure, detail]).round(9))
            is_control = one.contender.method.name == CONTROL
            gained = None if is_control else mean_over_pairs(gain)
            rows.append(new(measure, detail, len(values), mean_over_pairs(values), gained, lead))
        if one.checked:
            rows += _sanity(one, new)
        ratios = one.seconds[:, 0] / one.seconds[:, 1]
        for measure, value in (
            (SECONDS, np.median(one.seconds[:, 0])),
            (RATIO, np.median(ratios)),
            (FORWARD, one.passes[0]),
            (BACKWARD, one.passes[1]),
        ):
            rows.append(new(measure, "", len(one.same), float(value)))
    return rows


def curve_points(found: Sequence[Found], set_sha256: str) -> list[CurvePoint]:
    """Return the curves of every contender, the mean over its pairs."""
    points = []
    for one in found:
        verifier = one.contender.verifier
        who = (one.contender.method.name, verifier.config["name"], verifier.attention)
        for kind, curve in AREAS:
            for filling in FILLINGS:
                curves = _stacked(one, curve_name(kind, curve, filling))
                if not len(curves):
                    continue
                accuracy = curves.mean(axis=0)
                for share, value in zip(
                    np.linspace(0, 1, len(accuracy)), accuracy.tolist(), strict=True
                ):
                    points.append(
                        CurvePoint(
                            *who,
                            f"{kind} {curve}",
                            filling,
                            round(float(share), 6),
                            value,
                            verifier.sha256,
                            set_sha256,
                        )
                    )
    return points


def _faithfulness(one: Found) -> dict[tuple[str, str], np.ndarray]:
    """Return {(measure, filling): a value for each pair that has one}."""
    values = {}
    for kind, curve in AREAS:
        for filling in FILLINGS:
            areas = _stacked(one, area_name(kind, curve, filling))
            if len(areas):
                values[f"{kind} {curve}", filling] = areas[:, 0]
    for curve in CURVES:
        for filling in FILLINGS:
            areas = values[f"{SIMILARITY} {curve}", filling]
            for kind, chosen in ((GENUINE, one.same), (IMPOSTOR, ~one.same)):
                if chosen.any():
                    values[f"{kind} {curve}", filling] = areas[chosen]
    for filling in FILLINGS:
        values[CELLS, filling] = _stacked(one, cells_name(filling))[:, 0]
    return values


def _stacked(one: Found, name: str) -> np.ndarray:
    """Return what `judge` calls so, of the pairs that have it; empty if none has."""
    return np.array([judged[name] for judged in one.judged if name in judged])


def _control(one: Found, found: Sequence[Found]) -> Found:
    """Return what was measured of the control on the same verifier."""
    return next(
        x
        for x in found
        if x.contender.method.name == CONTROL and x.contender.verifier is one.contender.verifier
    )


def _gains(one: Found, control: Found) -> dict[tuple[str, str], np.ndarray]:
    """Return by how much each pair's value is better than the control's."""
    expected = _faithfulness(control)
    # The control is not signed; of a random map, what is called least is as random as the most.
    for curve in CURVES:
        for filling in FILLINGS:
            on_all = expected[f"{SIMILARITY} {curve}", filling]
            expected[f"{DISSIMILARITY} {curve}", filling] = on_all[~control.same]
    gains = {}
    for (measure, detail), values in _faithfulness(one).items():
        if measure == CELLS:
            gains[measure, detail] = values
        else:
            # Rounded, so that areas which are the same have no difference, nor a lead of it.
            difference = (values - expected[measure, detail]).round(9)
            gains[measure, detail] = -difference if measure.endswith(DELETION) else difference
    return gains


def _sanity(one: Found, new) -> list[Measure]:
    """Return the mean of each check that the method claims to pass; of random weights, by stage."""
    stages = np.array([checked[WEIGHTS] for checked in one.checked]).T
    rows = [
        new(WEIGHTS, f"stage {number} of {len(stages)}", len(stage), mean_over_pairs(stage))
        for number, stage in enumerate(stages, 1)
    ]
    for name in (SHIFT, SWAP) if one.contender.method.symmetric else (SHIFT,):
        values = np.array([checked[name][0] for checked in one.checked])
        rows.append(new(name, "", len(values), mean_over_pairs(values)))
    return rows


def _row(
    one: Found,
    set_sha256: str,
    measure: str,
    detail: str,
    pairs: int,
    value: Estimate | float,
    gain: Estimate | None = None,
    lead: Estimate | None = None,
) -> Measure:
    verifier = one.contender.verifier
    ends = {}
    for name, estimate in (("gain", gain), ("lead", lead)):
        if estimate is not None:
            ends |= {name: estimate.value, f"{name}_low": estimate.low}
            ends |= {f"{name}_high": estimate.high}
    if isinstance(value, Estimate):
        ends |= {"low": value.low, "high": value.high}
        value = value.value
    return Measure(
        one.contender.method.name,
        verifier.config["name"],
        verifier.attention,
        measure,
        detail,
        pairs,
        value,
        preset_sha256=verifier.sha256,
        set_sha256=set_sha256,
        **ends,
    )
