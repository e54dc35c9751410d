"""The price list's page and CSV file."""

from collections.abc import Sequence
from pathlib import Path

from tools.paper.rows import write_rows
from tools.paper.tables import on
from tools.tflite.rows import CoveredPrice, Price
from tools.tflite.tables import all_pairs_table, covered_table, price_table
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.files import replace_file

NAME = "tflite"
HOW = (
    "Size: of `embed` for one face, in millions of bytes, as it is and after `gzip`.",
    "Time: of `embed`, by TFLite's interpreter with XNNPACK on two x86 cores, as a ratio to "
    "float32 on as many threads. All files of the table were run in turn, round by round; the "
    "shortest time of each counts, as other programs ran too.",
    "verify / 2 faces: one run of `verify` on one thread against two runs of the same variant's "
    "`embed`, so what the comparison adds. Bare backbones: against two runs of `mobilefacenet`, "
    "the backbone without xCos, in float32 on one thread.",
    "Accuracy: 10 folds; points lost against float32.",
    "S and W: Pearson correlation with float32's, over all cells of all pairs.",
    "Thresholds were measured on people held out of training, for each variant by itself; nothing "
    "was chosen or calibrated on the set of this page.",
)
ON_ALL_PAIRS = (
    "Accuracy: 10 folds, genuine and impostor pairs counting alike; points lost against float32, "
    "mean over the folds ± its standard error. Changed: pairs that are decided otherwise than by "
    "float32, likewise. FMR and FNMR are at the variant's own threshold for FMR 1e-3."
)
UNDER_COVER = (
    "Seeded free-form strokes cover one face of each pair. Each genuine pair counts twice, with "
    "either face covered; of the impostor pairs of each fold ten times as many are drawn. Points "
    "lost against float32 with as much covered, by each share's own thresholds, genuine and "
    "impostor pairs counting alike. The mean is over the shares above 0 %; it, the decisions "
    "changed there and what is lost there more than by int8 without training are means over the "
    "folds ± their standard error. With ten folds, chance alone gives a difference of 2.26 times "
    "its error or more once in twenty times."
)


def write_page(
    rows: Sequence[Price],
    under_cover: Sequence[CoveredPrice],
    vset: VerificationSet,
    folder: Path,
    command: str,
) -> str:
    """Write tflite.md, tflite.csv and tflite-covered.csv, each whole or not at all.

    Returns:
        The page.

    Raises:
        XcosError: the folder cannot be written.
    """
    preset = f"Preset `{rows[0].preset}`: weights SHA-256 {rows[0].preset_sha256}."
    notes = [*on(vset), *HOW, preset, f"Made by `{command}`."]
    text = (
        f"# What the TFLite variants cost\n\n{price_table(rows)}\n\n"
        "## On all pairs of photos within the folds\n\n"
        f"{all_pairs_table(rows)}\n\n{_pairs(rows[0])}. {ON_ALL_PAIRS}\n\n"
        "## With one face of each pair covered\n\n"
        f"{covered_table(under_cover)}\n\n{_pairs(under_cover[0])}. {UNDER_COVER}\n\n"
        "## How\n\n" + "\n".join(f"- {note}" for note in notes) + "\n"
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_rows(folder / f"{NAME}.csv", Price, rows)
        write_rows(folder / f"{NAME}-covered.csv", CoveredPrice, under_cover)
        replace_file(
            folder / f"{NAME}.md",
            lambda stream: stream.write(text.encode("utf-8", "surrogateescape")),
        )
    except OSError as error:
        raise XcosError(
            f"{folder} cannot be written ({error.strerror or error}); choose another folder"
        ) from None
    return text


def _pairs(row: Price | CoveredPrice) -> str:
    return f"{row.genuine:,} genuine and {row.impostor:,} impostor pairs"
