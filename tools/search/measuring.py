"""A store of so many synthetic faces: made, searched, and compared with every face of it.

They are faces of people who are not there, around those of people who are.
"""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from tools.benchmark import in_fresh_process, timed
from xcos_tf.arrays import unit_length
from xcos_tf.evaluation.templates import open_templates
from xcos_tf.search.entries import Entry, queries, vectors
from xcos_tf.search.store import CANDIDATES, FaceStore, candidate_score, weights_of
from xcos_tf.templates import Template

SEARCHES, NEAREST, HITS = 200, 10, 5
ANY = -1.0
"""A threshold that everybody reaches: presets have none for a million faces."""
PEOPLE = 1024
"""Of a block."""
PHOTOS = 4
"""Of each person that a store may hold; one more is searched for."""
MIXED = 3
"""Real faces that a person is the mean of."""


class SyntheticPeople:
    """Templates without end, the same for the same real ones.

    A person is the mean of `MIXED` real faces; a photo of them differs from that as two photos of a
    real person do from one another, by 1/√2. All is done on cells of unit length.
    """

    def __init__(self, features: np.ndarray, labels: np.ndarray):
        """Take real templates, float32 (N, h, w, c), and whose each is, (N,).

        Raises:
            ValueError: nobody has two.
        """
        self._real = unit_length(features)
        order = np.argsort(labels, kind="stable")
        mates = labels[order][1:] == labels[order][:-1]
        self._mates = np.stack([order[1:][mates], order[:-1][mates]], axis=1)
        if not len(self._mates):
            raise ValueError("Expected two templates of one person or more. Received: none")

    def block(self, number: int) -> np.ndarray:
        """Return templates of people, float32 (PEOPLE, PHOTOS + 1, h, w, c)."""
        random = np.random.default_rng([2021, number])
        mixed = random.integers(len(self._real), size=(PEOPLE, MIXED))
        people = unit_length(sum(self._real[mixed[:, i]] for i in range(MIXED)))
        drawn = random.integers(len(self._mates), size=(PEOPLE, PHOTOS + 1))
        a, b = np.moveaxis(self._mates[drawn], -1, 0)
        photos = np.sign(random.uniform(-1, 1, (*a.shape, 1, 1, 1)).astype(np.float32))
        photos = photos * (self._real[a] - self._real[b]) / np.sqrt(np.float32(2))
        return unit_length(people[:, np.newaxis] + photos)

    def enrolled(self, count: int) -> Iterator[np.ndarray]:
        """Go through the templates of a store of so many, some thousand at a time."""
        for number in range(-(-count // (PEOPLE * PHOTOS))):
            block = self.block(number)[:, :PHOTOS]
            yield block.reshape(-1, *block.shape[2:])[: count - number * PEOPLE * PHOTOS]

    def searched(self, count: int) -> np.ndarray:
        """Return one more template of each of the first people, float32 (count, h, w, c)."""
        return self.block(0)[:count, PHOTOS]


def measure(url: str, templates: Path, faces: int) -> dict[str, np.ndarray]:
    """Make a store and search it, each in a process of its own.

    Args:
        url: of a store that is not there yet.
        templates: file of real ones, by the default preset.
        faces: to enroll.

    Returns:
        `making`: seconds to enroll and to make the index, and the GiB that took at most;
        `search`: seconds until the candidates are there, and `processor`, of them those that this
        process computed; `find`: seconds of a whole search with `HITS` people; `explain`: seconds
        for S, W and the sentence of each hit;
        `recall`: the share of the `NEAREST` exact ones that are among the candidates, which are
        compared anew; `unranked`: that are the first ones of the index; `memory`: the GiB that
        searching took at most.
    """
    exact = in_fresh_process(_make, url, templates, faces)
    return {**exact, **in_fresh_process(_search, url, templates, exact.pop("exact"))}


def _make(url: str, templates: Path, faces: int) -> dict[str, np.ndarray]:
    with FaceStore.open(url, create=True, write=True) as store:
        people, probes = _people(store, templates)
        face = io.BytesIO()  # all share one, to spare the disk
        Image.new("RGB", (112, 112), "gray").save(face, "JPEG")
        scores, numbers = (np.zeros((SEARCHES, 0), kind) for kind in (np.float32, np.int64))
        seconds = count = 0
        for features in people.enrolled(faces):
            entries = [
                Entry(f"person {i // PHOTOS}", f"{i}", feature, face.getvalue())
                for i, feature in enumerate(features, count)
            ]
            seconds += timed(store.add, entries)[1]
            # A number of a store counts from 1.
            new = np.arange(count, count + len(features)) + 1
            numbers = np.hstack([numbers, np.broadcast_to(new, (SEARCHES, len(new)))])
            scores = np.hstack([scores, probes @ vectors(features).T])
            best = np.argsort(-scores, axis=1, kind="stable")[:, :NEAREST]
            scores, numbers = (np.take_along_axis(x, best, axis=1) for x in (scores, numbers))
            count += len(features)
        _, indexing, _ = timed(store.finish)
    return {"making": np.array([seconds, indexing, peak()]), "exact": numbers}


def _search(url: str, templates: Path, exact: np.ndarray) -> dict[str, np.ndarray]:
    with FaceStore.open(url) as store:
        people, probes = _people(store, templates)
        backend, verifier = store._backend, store.verifier
        rows = []

        def explain(template: Template, faces: list[Template]) -> None:
            for face in faces:
                assert verifier.verify(template, face, threshold=ANY).sentence

        for probe, feature, nearest in zip(probes, people.searched(SEARCHES), exact, strict=True):
            template = Template(feature, None)
            if not rows:  # the index is read, and what is computed later is loaded
                backend.nearest(probe[np.newaxis], CANDIDATES)
                [hit] = store.find(template, 1, threshold=ANY)
                assert hit.verification.sentence
            [numbers], *search = timed(backend.nearest, probe[np.newaxis], CANDIDATES)
            hits, find, _ = timed(store.find, template, HITS, threshold=ANY)
            faces = [hit.verification.template_b for hit in hits]
            explained = timed(explain, template, faces)[1] / len(hits)
            found = [np.isin(nearest, x).mean() for x in (numbers, numbers[:NEAREST])]
            rows.append((*search, find, explained, *found))
    names = "search", "processor", "find", "explain", "recall", "unranked"
    return dict(zip(names, np.transpose(rows), strict=True)) | {"memory": np.array([peak()])}


def _people(store: FaceStore, templates: Path) -> tuple[SyntheticPeople, np.ndarray]:
    """Return people around real templates, and what is searched for, as `queries` makes it."""
    real = open_templates(templates)
    people = SyntheticPeople(real.read(0, len(real)), real.labels)
    weights = weights_of(store.verifier, candidate_score(store.verifier))
    return people, queries(people.searched(SEARCHES), weights)


def peak() -> float:
    """Return the most memory that this process had, in GiB."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 2**20
