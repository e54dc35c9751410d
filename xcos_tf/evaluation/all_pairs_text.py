"""All pairs of a folder's faces, as Markdown tables and as what JSON knows."""

from collections.abc import Sequence

from xcos_tf.errors import counted, on_one_line
from xcos_tf.evaluation.all_pairs import ALL_PAIRS_FALSE_ACCEPT_RATES, AllPairs
from xcos_tf.evaluation.results_text import NOT_MEASURED, markdown_table
from xcos_tf.evaluation.templates import TemplateInfo
from xcos_tf.metrics.histogram import Bounded
from xcos_tf.metrics.rates import Rate


def all_pairs_document(title: str, results: Sequence[tuple[TemplateInfo, str, AllPairs]]) -> dict:
    """Return {"set", "results"} of dictionaries, lists, numbers and names, for one or more results.

    Shares are in [0, 1] and have `value`, `low` and `high`, or are None where there are no such
    pairs. Those of `fmr` and `fnmr` are confidence intervals, the others what the bins leave open.
    """
    info, _, pairs = results[0]
    return {
        "set": {
            "name": title,
            "faces": len(info.names),
            "people": len(set(info.labels.tolist())),
            "pairs": pairs.genuine_pairs + pairs.impostor_pairs,
            "genuine": pairs.genuine_pairs,
            "impostor": pairs.impostor_pairs,
            "skipped": [skipped._asdict() for skipped in info.skipped],
        },
        "results": [
            {"preset": preset, "sha256": info.weights, **_as_row(pairs)}
            for info, preset, pairs in results
        ],
    }


def _as_row(pairs: AllPairs) -> dict:
    def entry(known: Bounded | Rate | None) -> dict | None:
        if known is None:
            return None
        return {key: getattr(known, key) for key in ("value", "low", "high")}

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
            _at_thresholds(results),
            "95 % intervals are those of independent pairs; pairs that share a face say less",
        ]
    return "\n\n".join(parts)


def _ranking(rows: list[dict]) -> str:
    # Rates that a list of pairs shows too are left to --json.
    fars = [far for far in rows[0]["tar_at_far"] if float(far) < 1e-2]
    heading = ["preset", "score", "AUC", "EER %", *(f"TAR % at FAR {_power(far)}" for far in fars)]
    cells = [
        [row["preset"], row["score"], _figure(row["auc"], 1, 5), _figure(row["eer"], 100, 2)]
        + [_figure(row["tar_at_far"][far], 100, 2) for far in fars]
        for row in rows
    ]
    return markdown_table(heading, cells)


def _at_thresholds(rows: list[dict]) -> str:
    cells = [
        [
            *(row["preset"], row["score"], _power(promised), f"{known['threshold']:.4f}"),
            *(_interval(known["fmr"]), _interval(known["fnmr"])),
        ]
        for row in rows
        for promised, known in row["at_threshold"].items()
    ]
    heading = ["preset", "score", "threshold for FMR", "is", "FMR %", "FNMR %"]
    return markdown_table(heading, cells)


def _power(rate: str) -> str:
    return f"{float(rate):.0e}".replace("e-0", "e-")


def _figure(entry: dict | None, scale: int, decimals: int) -> str:
    return NOT_MEASURED if entry is None else f"{scale * entry['value']:.{decimals}f}"


def _interval(entry: dict | None) -> str:
    """Return a share in per cent with three figures, since millions of pairs show small ones."""
    if entry is None:
        return NOT_MEASURED
    value, low, high = (f"{100 * entry[key]:.3g}" for key in ("value", "low", "high"))
    return f"{value} ({low}–{high})"
