"""The end of a run: P and thresholds are measured, and the preset is written."""

from collections.abc import Callable, Mapping
from pathlib import Path

from xcos_tf.data.face_set import FaceSet
from xcos_tf.data.sampling import draw_pairs
from xcos_tf.files import read_bytes
from xcos_tf.metrics.rates import preset_thresholds
from xcos_tf.models.network import FaceEmbedder, XCos
from xcos_tf.models.presets import save_preset
from xcos_tf.training.correlation import Correlation
from xcos_tf.training.correlation_preset import Plan, measure_on
from xcos_tf.training.pairs import people_to_compare
from xcos_tf.training.validation import HeldOut, pair_scores
from xcos_tf.yaml_text import parse_yaml

PRESET = "preset"
GENUINE = 0.5  # share of the pairs that P is measured on
Extras = Callable[[dict], Mapping[str, Callable[[Path], object]]]


def finish(run, step: int, extras: Extras) -> Path:
    """Measure P on training pairs and thresholds on people held out, and write `preset/`.

    Args:
        run: the `Run`, its network in its final state.
        step: whose weights these are.
        extras: called with the preset's configuration; see `save_preset`.

    Returns:
        The preset's folder.

    Raises:
        XcosError: P cannot be measured or the preset not be written.
    """
    config, network = run.config, run.trainer.network
    given = run.folder / "config.yaml"
    facts = {}
    state = run.folder / "correlation.npz"
    if measured := people_to_measure(run):
        found = measure_correlation(run, measured, state, step)
        facts["correlation"] = {
            **found.facts(),
            "seed": config.seed,
            "teacher": {"name": config.teacher},
        }
    scores = tuple(network.comparisons)
    thresholds = {}
    if run.held_out:
        count = config.finish.threshold_pairs
        thresholds = measure_thresholds(network, run.held_out, scores, count, config.seed + 1)
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

    Raises:
        XcosError: they make no genuine pairs.
    """
    config = run.config
    if not (config.finish.correlation_pairs and config.teacher and config.explains):
        return None
    if "correlated" not in run.trainer.network.comparisons:
        return None
    return people_to_compare(run.faces, GENUINE, "leave P as it is by finish: correlation_pairs: 0")


def measure_correlation(run, faces: FaceSet, state: Path, step: int) -> Correlation:
    """Measure P on a run's training faces, unchanged, and set it in the network.

    The pass goes on from `state` if it was interrupted; `step` says whose weights these are.
    """
    trainer, config = run.trainer, run.config
    plan = Plan(config.finish.correlation_pairs, GENUINE, seed=config.seed)
    return measure_on(
        trainer.network,
        faces,
        plan,
        lambda x: trainer.features(x, training=False),
        trainer.ask_teacher,
        state,
        [step],
        trainer.stem,
    )


def measure_thresholds(
    network: XCos | FaceEmbedder,
    held_out: HeldOut,
    scores: tuple[str, ...],
    count: int,
    seed: int,
) -> dict[str, dict[str, float]]:
    """Return {score: {FMR: threshold}} from impostor pairs of people held out.

    A rate that would need more pairs than there are is left out.

    Args:
        held_out: who was not trained on.
        scores: attentions, or "cosine".
    """
    pairs = draw_pairs(held_out.labels, 0, count, seed)
    features = held_out.embed()
    return {
        score: preset_thresholds(pair_scores(network, features, pairs, score)) for score in scores
    }
