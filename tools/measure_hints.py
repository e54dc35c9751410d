"""Measure how often a failed try of the unlock prototype names the part that is covered.

    python tools/measure_hints.py FACES --out docs/results [--readme docs/mobile.md ...]

FACES is a folder of aligned 112×112 faces with a sub-folder for each person, as `xcos align` makes
it of LFW. A plain patch is put over one half of each face that is tried with. Writes
unlock-hints.md and unlock-hints.csv.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools import unlock
from tools.results import Report, parser_of, run
from tools.unlock import NOTHING, HintTrials
from xcos_tf.errors import XcosError
from xcos_tf.explain.probing import cover
from xcos_tf.mobile.decision import judge
from xcos_tf.mobile.frames import Frame
from xcos_tf.verifier import Verifier

VARIANT = "float32"
ENROLLED = 3
HALVES = ("upper", "lower", "left", "right")


def covered_in_turn(face: np.ndarray) -> dict[str, np.ndarray]:
    """Return {what is covered: the face}, as it is and with its mean colour over each half."""
    rows, columns = np.indices(face.shape[:2])
    upper, left = rows < face.shape[0] // 2, columns < face.shape[1] // 2
    masks = np.stack([upper, ~upper, left, ~left])
    copies = cover(face, masks, face.mean(axis=(0, 1)).round())
    return {NOTHING: face, **dict(zip(HALVES, copies, strict=True))}


def measure_hints(
    set_name: str, people: dict[str, Sequence[Frame]], verifier: Verifier
) -> list[HintTrials]:
    """Enroll three photos of each, and try with each usable one after the fifth, covered and not.

    Raises:
        XcosError: nobody has enough photos that match one another.
    """
    # Tries, and how many failed, named an area, and one of this half.
    counts = {half: np.zeros(4, int) for half in (NOTHING, *HALVES)}
    owners = 0
    for frames in tqdm(people.values(), unit="person", disable=None):
        enrolled, left = unlock.split_owner(frames)
        faces = [frames[i].face for i in left if frames[i].usable]
        chosen = [frames[i] for i in enrolled[:ENROLLED]]
        owner = unlock.enroll(verifier, chosen) if faces else None
        if owner is None:
            continue
        owners += 1
        for face in faces:
            for half, shown in covered_in_turn(face).items():
                decision = judge(verifier, owner, [shown])
                named = re.match(r"the (\w+ \w+) of the face looks covered", decision.hint)
                right = named is not None and half in named[1].split()
                counts[half] += (1, not decision.unlocked, named is not None, right)
    if not owners:
        raise XcosError("nobody has enough photos that match; give a set with more of each person")
    variant, sha256 = verifier.config["variant"], verifier.config["weights"]["sha256"]
    return [
        HintTrials(set_name, half, variant, owners, *map(int, x), sha256)
        for half, x in counts.items()
    ]


def main(argv: list[str] | None = None) -> int:
    parser = parser_of("measure_hints", __doc__)
    unlock.add_inputs(parser)
    parser.add_argument("--set", default="LFW", help="what to call the faces (default: LFW)")
    return run(parser, _measure, argv)


def _measure(args):
    people = unlock.read_people(args.faces)
    with unlock.models_of(args.models, (VARIANT,)) as models:
        rows = measure_hints(args.set, people, Verifier.from_export(models, VARIANT, threads=2))
    words = {"set": args.set, "table": unlock.hint_table(rows), "enrolled": ENROLLED}
    words |= {"owners": rows[0].owners, "variant": VARIANT, "sha256": rows[0].preset_sha256}
    yield Report("unlock-hints", {"unlock-hints.csv": (HintTrials, rows)}, words)


if __name__ == "__main__":
    sys.exit(main())
