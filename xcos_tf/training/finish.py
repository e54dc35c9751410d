"""The end of a run: P and thresholds are measured, and the preset is written."""

from collections.abc import Callable, Mapping
from pathlib import Path

from xcos_tf.data.face_set import FaceSet
from xcos_tf.data.sampling import draw_pairs
from xcos_tf.files import read_bytes
from xcos_tf.metrics.rates import preset_thresholds
from xcos_tf.models.presets import save_preset
from xcos_tf.training.correlation_preset import Plan, measure_on
from xcos_tf.training.pairs import people_to_compare
from xcos_tf.training.validation import pair_scores
from xcos_tf.yaml_text import parse_yaml

PRESET = "preset"
GENUINE = 0.5  # share of the pairs that P is measured on
Extras = Callable[[dict], Mapping[str, Callable[[Path], object]]]


def finish(run, step: int, extras: Extras) -> Path:
    """Measure P on training pairs and thresholds on people held out, and write `preset/`.

    Returns the preset's folder. The network of the `Run` has the weights of `step`.

    Raises:
        XcosError: P cannot be measured or the preset not be written.
    """
    config, trainer = run.config, run.trainer
    network, given = trainer.network, run.folder / "config.yaml"
    state, facts, thresholds = run.folder / "correlation.npz", {}, {}
    if faces := people_to_measure(run):
        plan = Plan(config.finish.correlation_pairs, GENUINE, seed=config.seed)
        # It goes on from `state` if it was interrupted.
        found = measure_on(
            network,
            faces,
            plan,
            lambda x: trainer.features(x, training=False),
            trainer.ask_teacher,
            state,
            [step],
            trainer.stem,
        )
        teacher = {"name": config.teacher}
        facts["correlation"] = {**found.facts(), "seed": config.seed, "teacher": teacher}
    scores = tuple(network.comparisons)
    if run.held_out:
        count, seed = config.finish.threshold_pairs, config.seed + 1
        pairs, features = draw_pairs(run.held_out.labels, 0, count, seed), run.held_out.embed()
        for score in scores:
            impostors = pair_scores(network, features, pairs, score)
            thresholds[score] = preset_thresholds(impostors)
    described = {
        "name": config.name,
        "model": config.model.section,
        "thresholds": thresholds,
        "training": {
            "config": parse_yaml(read_bytes(given), given),
            "sets": {records.folder.name: records.source for records in run.sets},
            "people": len(run.faces.people),
            "images": len(run.faces),
            "steps": run.steps,
            "weights_of_step": step,
            "validation": {k: round(v, 5) for k, v in run.validate(scores).items()},
        },
        **facts,
        **config.finish.facts,
    }
    save_preset(run.folder / PRESET, described, network, extras(described))
    state.unlink(missing_ok=True)
    return run.folder / PRESET


def people_to_measure(run) -> FaceSet | None:
    """Return the faces of a run that P is measured on; None where it is not.

    Raises XcosError if they make no genuine pairs.
    """
    config = run.config
    wanted = config.finish.correlation_pairs and config.teacher
    if not wanted or "correlated" not in run.trainer.network.comparisons:
        return None
    return people_to_compare(run.faces, GENUINE, "leave P as it is by finish: correlation_pairs: 0")
