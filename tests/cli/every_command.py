"""One valid invocation of each command, and what of it is read and written."""

import json
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from xcos_tf.cli.main import COMMANDS


@dataclass(frozen=True)
class Invocation:
    """A command line whose words may be names of `Places`.

    Attributes:
        words: of it.
        read: those that are paths of what must be there.
        written: those that are paths of outputs.
    """

    words: tuple[str, ...]
    read: tuple[str, ...]
    written: tuple[str, ...] = ()

    def with_places(self, places: dict[str, Path], **others) -> list[str]:
        """Return the words as they are given, some places being others."""
        return [str({**places, **others}.get(word, word)) for word in self.words]


def _invocation(line: str, read: str, written: str = "") -> Invocation:
    return Invocation(tuple(line.split()), tuple(read.split()), tuple(written.split()))


INVOCATIONS = {
    "verify": _invocation("verify A B --explain PNG", "A B", "PNG"),
    "verify pairs": _invocation("verify --pairs TABLE --out OUT", "TABLE", "OUT"),
    "verify by a server": _invocation(
        "verify A B --server localhost:1 --root-certificate PEM --explain PNG", "A B PEM", "PNG"
    ),
    "explain": _invocation("explain A B --out PNG", "A B", "PNG"),
    "align": _invocation("align PEOPLE OUT", "PEOPLE", "OUT"),
    "occlude": _invocation("occlude PEOPLE OUT --share 0.3", "PEOPLE", "OUT"),
    "occlude pairs": _invocation(
        "occlude PEOPLE OUT --share 0.3 --pairs LIST", "PEOPLE LIST", "OUT"
    ),
    "evaluate": _invocation("evaluate PEOPLE LIST --report HTML", "PEOPLE LIST", "HTML"),
    "evaluate drawn": _invocation("evaluate PEOPLE --draw 1 --report HTML", "PEOPLE", "HTML"),
    "evaluate all": _invocation(
        "evaluate PEOPLE --all-pairs --preset mobilefacenet --templates OUT", "PEOPLE", "OUT"
    ),
    "gallery": _invocation("gallery xcos-mobilefacenet-2 PEOPLE LIST --out OUT", "PEOPLE LIST"),
    "prepare": _invocation("prepare PEOPLE OUT", "PEOPLE", "OUT"),
    "train": _invocation("train YAML --data DATA --out OUT", "YAML DATA"),
    "fit-correlation": _invocation(
        "fit-correlation xcos-mobilefacenet-2 SET --out OUT", "SET", "OUT"
    ),
    "fit-whatif": _invocation("fit-whatif xcos-mobilefacenet-2 SET", "SET"),
    "export": _invocation(
        "export xcos-mobilefacenet-2 OUT --to tflite --representative PEOPLE", "PEOPLE"
    ),
    "export measured": _invocation(
        "export xcos-mobilefacenet-2 OUT --to tflite --measure DATA", "DATA"
    ),
    "convert": _invocation(
        "convert YAML OUT --teacher TEACHER --margin-head KERNEL", "YAML", "OUT TEACHER KERNEL"
    ),
    "unlock enroll": _invocation(
        "unlock enroll A B --store OUT --passphrase-file WORDS", "A B WORDS", "OUT"
    ),
    "unlock try": _invocation(
        "unlock try A --store STORE --passphrase-file WORDS", "A WORDS", "STORE"
    ),
    "evaluate searches": _invocation(
        "evaluate PEOPLE --identification --preset mobilefacenet --templates OUT", "PEOPLE", "OUT"
    ),
    "enroll": _invocation("enroll PEOPLE --store OUT", "PEOPLE", "OUT"),
    "find": _invocation("find A --store FACES --explain OUT", "A FACES", "OUT"),
    "forget": _invocation("forget Ann --store FACES", "FACES"),
    "serve": _invocation("serve --store FACES", "FACES"),
    "demo": _invocation("demo --store FACES", "FACES"),
    "store": _invocation("store info --store FACES", "FACES"),
}
assert {line.words[0] for line in INVOCATIONS.values()} == set(COMMANDS)

SUFFIX = {"PNG": ".png", "HTML": ".html"}


def make_places(root: Path) -> dict[str, Path]:
    """Write what the invocations read, and return {name: path} of that and of the outputs."""
    places = {
        "A": root / "a.png",
        "B": root / "b.png",
        "PEOPLE": root / "people",
        "LIST": root / "pairs.csv",
        "TABLE": root / "people/pairs.csv",  # whose folder its paths start from
        "DATA": root / "data",
        "SET": root / "data/set",
        "YAML": root / "config.yaml",
        "PEM": root / "root.pem",
        "WORDS": root / "words",
        "STORE": root / "store",
        "FACES": root / "faces",
        "OUT": root / "out",
        "TEACHER": root / "teacher",
        "KERNEL": root / "kernel.safetensors",
        "PNG": root / "out.png",
        "HTML": root / "out.html",
    }
    for place in ("PEOPLE", "SET", "FACES"):
        places[place].mkdir(parents=True)
    face = Image.new("RGB", (112, 112), "grey")
    for path in (places["A"], places["B"]):
        face.save(path)
    for name in ("Ann/1.png", "Ann/2.png", "Bob/1.png"):
        path = places["PEOPLE"] / name
        path.parent.mkdir(exist_ok=True)
        face.save(path)
    places["LIST"].write_text("first,second,same\nAnn/1.png,Ann/2.png,1\nAnn/1.png,Bob/1.png,0\n")
    places["TABLE"].write_text("first,second\nAnn/1.png,Ann/2.png\n")
    (places["SET"] / "index.json").write_text(json.dumps({}))
    for place in ("YAML", "PEM", "WORDS", "STORE"):
        places[place].write_text("words of more than eight letters\n")
    return places
