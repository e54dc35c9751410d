"""xcos_tf beside DeepFace: two photos, and searches in a folder of photos.

DeepFace runs in an environment of its own with `deepface`, `flask`, `tf-keras`, `dlib-bin`,
`face_recognition_models`, `setuptools<81`, `opencv-python<5` and
`opencv-contrib-python-headless<5`. Its model is Dlib, whose weights come as a package; it downloads
those of its other models. Ways that are compared take turns.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from shutil import copy

from tools.benchmark import interleaved_medians, timed

ROOT = Path(__file__).resolve().parents[1]
DETECTORS = ("opencv", "dlib")
PROBES, ENROLLED = 60, 600
COLD, WARM = 3, 30  # rounds
SERVER = Path(__file__).with_name("deepface_server.py")


def beside_deepface(python: str, photos: Path) -> None:
    """Print what both take for two photos and for searches.

    Args:
        python: the interpreter of DeepFace's environment.
        photos: a folder with a sub-folder for each person, such as LFW.
    """
    pair = [str(ROOT / f"tests/photos/{name}.jpg") for name in ("obama", "obama2")]
    question = json.dumps(["verify", *pair, DETECTORS[0]])
    with tempfile.TemporaryDirectory() as folder:
        command = [python, str(SERVER), folder]

        def ours():
            subprocess.run([sys.executable, "-m", "xcos_tf", "verify", *pair], capture_output=True)

        def theirs():
            subprocess.run(command, input=question, text=True, capture_output=True, check=True)

        show("two photos, a new process", {"xcos verify": ours, "DeepFace, opencv": theirs}, COLD)
        with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as server:

            def ask(what: str, *arguments: object) -> str:
                print(json.dumps([what, *map(str, arguments)]), file=server.stdin, flush=True)
                return json.loads(server.stdout.readline())

            compare_searches(ask, *share(photos, Path(folder) / "gallery"))
            server.stdin.close()


def share(photos: Path, gallery: Path) -> tuple[Path, list[Path]]:
    """Make a folder of a photo each of `ENROLLED` people.

    Returns:
        It, and another photo of each of `PROBES` of them.
    """
    people = [sorted(person.iterdir()) for person in sorted(photos.iterdir()) if person.is_dir()]
    people.sort(key=lambda person: len(person) < 2)  # those with two photos come first
    for photo, *_ in people[:ENROLLED]:
        (gallery / photo.parent.name).mkdir(parents=True)
        copy(photo, gallery / photo.parent.name)
    return gallery, [person[1] for person in people[:PROBES]]


def compare_searches(ask: Callable, gallery: Path, probes: list[Path]) -> None:
    """Print what pairs and searches take in a running process, and what the searches find."""
    from xcos_tf import FaceStore, Verifier
    from xcos_tf.models.preset_folder import DEFAULT_PRESET
    from xcos_tf.search.enrolling import enroll_photos, photos_of

    verifier = Verifier.from_preset(DEFAULT_PRESET)
    pairs = {name: zip(cycle(probes), cycle(probes[::-1])) for name in ("", *DETECTORS)}
    ways = {"Verifier.verify and its sentence": lambda: verifier.verify(*next(pairs[""])).sentence}
    for name in DETECTORS:
        ways[f"DeepFace.verify, {name}"] = lambda x=name: ask("verify", *next(pairs[x]), x)
    show("two photos, a running process", ways, WARM)

    our_turn, their_turn, our_people, their_people = cycle(probes), cycle(probes), {}, {}

    def enroll():
        with FaceStore.open(gallery.with_name("store"), create=True, write=True) as store:
            enroll_photos(store, photos_of(gallery))

    # The first search makes the file that later ones read.
    ours, theirs = timed(enroll), timed(ask, "find", probes[0], gallery, DETECTORS[0])
    print(f"{ENROLLED} photos enrolled: {ours[1]:.1f} s, DeepFace {theirs[1]:.1f} s", flush=True)
    with FaceStore.open(gallery.with_name("store")) as store:

        def ours():
            probe = next(our_turn)
            our_people[probe] = store.find(probe, 1, threshold=-1.0)[0].person

        def theirs():
            probe = next(their_turn)
            their_people[probe] = ask("find", probe, gallery, DETECTORS[0])

        ways = {"FaceStore.find": ours, "DeepFace.find, opencv": theirs}
        show("a search, a running process", ways, PROBES)
    for name, people in zip(ways, (our_people, their_people), strict=True):
        right = sum(probe.parent.name == person for probe, person in people.items())
        print(f"  {name}: the person comes first for {right} of {len(people)} photos")


def show(what: str, ways: dict[str, Callable], rounds: int) -> None:
    """Print median seconds of ways in turns."""
    print(f"{what}, median of {rounds}:")
    seconds = interleaved_medians(list(ways.values()), rounds)
    for name, x in zip(ways, seconds, strict=True):
        print(f"  {name:36} {x:7.3f} s, {x / seconds[0]:5.1f} times", flush=True)
