"""What the tests of the report share: sets without photos on disk, and reading a page's tables."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

import numpy as np

from xcos_tf.evaluation.measurement import Measurement, ScoredPairs, measure
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.evaluation.verification_set import VerificationSet

SCRIPT = "<script>document.title='<b>&amp;'</script>"
PLAIN_SHA = "ab" * 32


@dataclass
class Faces:
    """Squares of noise, each its own, as `Photos`."""

    names: list[str]
    asked: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.names)

    def read(self, position: int) -> np.ndarray:
        self.asked.append(position)
        noise = np.random.default_rng(position).integers(0, 256, (14, 14, 3), np.uint8)
        return noise.repeat(8, axis=0).repeat(8, axis=1)


def make_set(count: int = 40, folds: int = 4, **changes) -> VerificationSet:
    """Return a set of so many pairs, half of them genuine, of as many photos."""
    names = changes.pop("names", [f"person {k}/photo.jpg" for k in range(count)])
    pairs = PairSet(
        photos=names,
        first=np.arange(count),
        second=(np.arange(count) + 1) % count,
        same=np.arange(count) % 2 == 0,
        fold=np.arange(count) // 2 % folds,
    )
    known = {"name": "people", "photos": Faces(pairs.photos), "fingerprint": "12" * 32}
    return VerificationSet(**(known | {"pairs": pairs, "aligned": True} | changes))


def make_scores(vset: VerificationSet, seed: int = 0, **changes) -> ScoredPairs:
    """Return scores that overlap, of a preset without a grid unless it is said otherwise."""
    noise = np.random.default_rng(seed).normal(0, 0.25, len(vset.pairs))
    known = {
        "preset": "plain",
        "sha256": PLAIN_SHA,
        "score": "cosine",
        "values": np.clip(noise + 0.5 * vset.pairs.same, -1, 1).astype(np.float32),
        "thresholds": {"0.01": 0.4, "0.001": 0.5},
    }
    return ScoredPairs(**(known | changes))


def measured(vset: VerificationSet, *scores: ScoredPairs) -> list[tuple[ScoredPairs, Measurement]]:
    return [(scored, measure(scored, vset.pairs)) for scored in scores]


class Page(HTMLParser):
    """A page as text: all of it, its tables' cells, and its elements' attributes by tag."""

    def __init__(self, html: str):
        super().__init__()
        self.tables, self.elements, self.words, self.cell = [], [], [], None
        self.feed(html)
        self.tables = [[list(map(squeezed, row)) for row in table] for table in self.tables]

    @property
    def text(self) -> str:
        return squeezed("".join(self.words))

    def attributes(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.elements if name == tag]

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in ("b", "bdi", "code", "span"):
            self.words.append(" ")
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self.cell = tag

    def handle_endtag(self, tag):
        if tag == self.cell:
            self.cell = None

    def handle_data(self, data):
        if self.elements[-1:] and self.elements[-1][0] == "style":
            return
        self.words.append(data)
        if self.cell:
            self.tables[-1][-1][-1] += data


def squeezed(text: str) -> str:
    """Return a text as a browser shows it, with plain spaces."""
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())
