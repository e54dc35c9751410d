"""Measurements of presets, on a set or on all pairs of faces, as Markdown tables and for JSON."""

from collections.abc import Sequence
from dataclasses import asdict

from xcos_tf.errors import counted, on_one_line
from xcos_tf.evaluation.all_pairs import ALL_PAIRS_FALSE_ACCEPT_RATES, AllPairs
from xcos_tf.evaluation.measurement import (
    FALSE_ACCEPT_RATES,
    Measurement,
    ScoredPairs,
    UnderOcclusion,
    as_row,
    at_default_fmr,
)
from xcos_tf.evaluation.templates import TemplateInfo
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.metrics.intervals import format_rate
from xcos_tf.metrics.rates import Rate

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


def rate_name(rate: str | float) -> str:
    """Return a rate in the way of the field, such as 1e-3."""
    mantissa, exponent = f"{float(rate):e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def covered(share: float) -> str:
    """Return a share of a face, as in "10 % covered"."""
    return f"{100 * share:.0f} % covered"


def _metrics(results) -> str:
    # A rate that nobody could observe, for want of impostor pairs, is left out.
    fars = [far for far in FALSE_ACCEPT_RATES if any(m.tar_at_far[far] for _, m in results)]
    heading = ["preset", "score", "accuracy %", "AUC", "EER %"]
    heading += [*(f"TAR at FAR {rate_name(far)}" for far in fars), "at FMR 1e-3"]
    rows = []
    for scored, measured in results:
        row = [scored.preset, scored.score, percent(measured.accuracy, measured.accuracy_std)]
        row += [f"{measured.auc:.4f}", f"{100 * measured.eer:.2f}"]
        row += [format_rate(measured.tar_at_far[far]) for far in fars]
        told = "no threshold"
        if at := at_default_fmr(measured.at_threshold):
            told = f"FMR {100 * at.fmr.value:.2f} %, FNMR {100 * at.fnmr.value:.2f} %"
        rows.append([*row, told])
    return markdown_table(heading, rows)


def _under_occlusion(occlusion: Sequence[UnderOcclusion]) -> str:
    shares = list(dict.fromkeys(row.share for row in occlusion))
    cells: dict[tuple[str, str], list[str]] = {}
    for row in occlusion:
        of_score = cells.setdefault((row.preset, row.score), [])
        of_score.append(percent(row.accuracy, row.accuracy_std))
    heading = ["preset", "score", *(f"accuracy %, {covered(share)}" for share in shares)]
    return markdown_table(heading, [[*who, *row] for who, row in cells.items()])


def all_pairs_document(title: str, results: Sequence[tuple[TemplateInfo, str, AllPairs]]) -> dict:
    """Return {"set", "results"} of dictionaries, lists, numbers and names, for one or more results.

    Shares are in [0, 1] and have `value`, `low` and `high`, or are None where there are no such
    pairs. Those of `fmr` and `fnmr` are confidence intervals, the others what the bins leave open.
    """
    info, _, pairs = results[0]
    counts = {"genuine": pairs.genuine_pairs, "impostor": pairs.impostor_pairs}
    return {
        "set": about_faces(title, info, {"pairs": sum(counts.values()), **counts}),
        "results": [
            {"preset": preset, "sha256": info.weights, **_all_pairs_row(pairs)}
            for info, preset, pairs in results
        ],
    }


def about_faces(title: str, info: TemplateInfo, counts: dict[str, int]) -> dict:
    """Return what a document says of a folder's faces, such as how many of what there are."""
    people = len(set(info.labels.tolist()))
    skipped = [skipped._asdict() for skipped in info.skipped]
    return {"name": title, "faces": len(info.names), "people": people, **counts, "skipped": skipped}


def _all_pairs_row(pairs: AllPairs) -> dict:
    def entry(known: Rate | None) -> dict | None:
        return known and asdict(known)

    return {
        "score": pairs.score,
        "auc": entry(pairs.auc),
        "eer": entry(pairs.eer),
        "tar_at_far": {
            f"{far:g}": entry(pairs.tar_at_far(far)) for far in ALL_PAIRS_FALSE_ACCEPT_RATES
        },
        "at_threshold": {
            promised: {
                "threshold": threshold,
                "fmr": entry(pairs.fmr(promised)),
                "fnmr": entry(pairs.fnmr(promised)),
            }
            for promised, threshold in pairs.thresholds.items()
        },
        "histogram": {
            "low": -1,
            "high": 1,
            "genuine": pairs.genuine.tolist(),
            "impostor": pairs.impostor.tolist(),
        },
    }


def all_pairs_tables(document: dict) -> str:
    """Return a document as a headline, what was left out or is missing, and Markdown tables."""
    facts, results = document["set"], document["results"]
    parts = [
        f"{counted(facts['pairs'], 'pair')} ({facts['genuine']:,} genuine, {facts['impostor']:,} "
        f"impostor) of {counted(facts['faces'], 'face')} of "
        f"{counted(facts['people'], 'person', 'people')} in {on_one_line(facts['name'])}"
    ]
    if skipped := facts["skipped"]:
        listed = "; ".join(f"{entry['name']} ({entry['reason']})" for entry in skipped[:3])
        rest = f"; and {len(skipped) - 3:,} more, see --json" if len(skipped) > 3 else ""
        parts.append(f"left out: {listed}{rest}")
    if not facts["genuine"]:
        parts.append("there are no genuine pairs, since nobody has two faces in the folder")
    if not facts["impostor"]:
        parts.append("there are no impostor pairs, since all faces are one person's")
    if facts["genuine"] and facts["impostor"]:
        parts += [
            _ranking(results),
            "scores are counted in bins 1/2048 wide, and TAR is a lower bound; --json has all "
            "bounds",
        ]
    if any(row["at_threshold"] for row in results):
        parts += [
            _thresholds_table(results),
            "95 % intervals are those of independent pairs; pairs that share a face say less",
        ]
    return "\n\n".join(parts)


def _ranking(rows: list[dict]) -> str:
    # Rates that a list of pairs shows too are left to --json.
    fars = [far for far in rows[0]["tar_at_far"] if float(far) < 1e-2]
    tars = [f"TAR % at FAR {rate_name(far)}" for far in fars]
    cells = [
        [row["preset"], row["score"], _figure(row["auc"], 1, 5), _figure(row["eer"], 100, 2)]
        + [_figure(row["tar_at_far"][far], 100, 2) for far in fars]
        for row in rows
    ]
    return markdown_table(["preset", "score", "AUC", "EER %", *tars], cells)


def _thresholds_table(rows: list[dict]) -> str:
    cells = [
        [
            *(row["preset"], row["score"], rate_name(promised), f"{known['threshold']:.4f}"),
            *(_interval(known["fmr"]), _interval(known["fnmr"])),
        ]
        for row in rows
        for promised, known in row["at_threshold"].items()
    ]
    heading = ["preset", "score", "threshold for FMR", "is", "FMR %", "FNMR %"]
    return markdown_table(heading, cells)


def _figure(entry: dict | None, scale: int, decimals: int) -> str:
    return NOT_MEASURED if entry is None else f"{scale * entry['value']:.{decimals}f}"


def _interval(entry: dict | None) -> str:
    """Return a share in per cent with three figures, since millions of pairs show small ones."""
    if entry is None:
        return NOT_MEASURED
    value, low, high = (f"{100 * entry[key]:.3g}" for key in ("value", "low", "high"))
    return f"{value} ({low}–{high})"
