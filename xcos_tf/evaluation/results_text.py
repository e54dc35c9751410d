"""Measurements of presets on a set, as Markdown tables and as what JSON knows."""

from collections.abc import Sequence
from dataclasses import asdict

from xcos_tf.errors import counted, on_one_line
from xcos_tf.evaluation.measurement import (
    FALSE_ACCEPT_RATES,
    AtThreshold,
    Measurement,
    ScoredPairs,
    UnderOcclusion,
    as_row,
)
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.metrics.intervals import format_rate
from xcos_tf.verifier import DEFAULT_FMR

NOT_MEASURED = "—"


def results_document(
    vset: VerificationSet,
    results: Sequence[tuple[ScoredPairs, Measurement]],
    occlusion: Sequence[UnderOcclusion] = (),
) -> dict:
    """Return {"set", "results", "occlusion"} of dictionaries, lists, numbers and names.

    `results` has every metric with its interval, as by `as_row`; `occlusion` is only there if it
    was measured.
    """
    pairs = vset.pairs
    document = {
        "set": {
            "name": vset.name,
            "fingerprint": vset.fingerprint,
            "photos": len(vset.photos),
            "videos": None if vset.videos is None else len(vset.videos),
            "pairs": len(pairs),
            "genuine": int(pairs.same.sum()),
            "impostor": int((~pairs.same).sum()),
            "folds": len(set(pairs.fold.tolist())),
            "notes": list(vset.notes),
            "skipped": [skipped._asdict() for skipped in vset.skipped],
        },
        "results": [
            {"preset": x.preset, "sha256": x.sha256, "score": x.score, **as_row(measurement)}
            for x, measurement in results
        ],
    }
    if occlusion:
        document["occlusion"] = [asdict(row) for row in occlusion]
    return document


def results_tables(
    title: str,
    vset: VerificationSet,
    results: Sequence[tuple[ScoredPairs, Measurement]],
    occlusion: Sequence[UnderOcclusion] = (),
) -> str:
    """Return a headline, a table of metrics, one of accuracy under occlusion, and the notes."""
    what = counted(len(vset.photos), "photo")
    if vset.videos is not None:
        frames = counted(len(vset.photos), "frame")
        what = f"{counted(len(vset.videos), 'video')} of {frames}"
    pairs = counted(len(vset.pairs), "pair")
    parts = [
        f"{pairs} of {what} in {on_one_line(title)}\n{_metrics(results)}",
        _under_occlusion(occlusion) if occlusion else "",
        "\n".join(vset.notes),
    ]
    return "\n\n".join(part for part in parts if part)


def markdown_table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of these cells, each on one line."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(map(on_one_line, line)) + " |" for line in lines)


def percent(mean: float | None, std: float | None) -> str:
    """Return accuracy and its spread over folds, as in "98.70 ± 0.54"."""
    return NOT_MEASURED if mean is None else f"{100 * mean:.2f} ± {100 * std:.2f}"


def covered(share: float) -> str:
    """Return a share of a face, as in "10 % covered"."""
    return f"{100 * share:.0f} % covered"


def _metrics(results) -> str:
    # A rate that nobody could observe, for want of impostor pairs, is left out.
    fars = [far for far in FALSE_ACCEPT_RATES if any(m.tar_at_far[far] for _, m in results)]
    heading = ["preset", "score", "accuracy %", "AUC", "EER %"]
    heading += [f"TAR at FAR {far:.0e}".replace("e-0", "e-") for far in fars]
    heading += ["at FMR 1e-3"]
    rows = []
    for scored, measured in results:
        row = [scored.preset, scored.score, percent(measured.accuracy, measured.accuracy_std)]
        row += [f"{measured.auc:.4f}", f"{100 * measured.eer:.2f}"]
        row += [format_rate(measured.tar_at_far[far]) for far in fars]
        rows.append([*row, _at_threshold(measured.at_threshold)])
    return markdown_table(heading, rows)


def _at_threshold(known: dict[str, AtThreshold]) -> str:
    for fmr, observed in known.items():
        if float(fmr) == DEFAULT_FMR:
            return f"FMR {100 * observed.fmr.value:.2f} %, FNMR {100 * observed.fnmr.value:.2f} %"
    return "no threshold"


def _under_occlusion(occlusion: Sequence[UnderOcclusion]) -> str:
    shares = list(dict.fromkeys(row.share for row in occlusion))
    cells: dict[tuple[str, str], list[str]] = {}
    for row in occlusion:
        of_score = cells.setdefault((row.preset, row.score), [])
        of_score.append(percent(row.accuracy, row.accuracy_std))
    heading = ["preset", "score", *(f"accuracy %, {covered(share)}" for share in shares)]
    return markdown_table(heading, [[*who, *row] for who, row in cells.items()])
