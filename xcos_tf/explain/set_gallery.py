"""A set as pictures: the four groups of the paper's Fig. 3, and the mean attention map."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.errors import counted, explained
from xcos_tf.evaluation.aligned_faces import FaceReader
from xcos_tf.evaluation.matcher import Matcher
from xcos_tf.evaluation.protocol import embed
from xcos_tf.evaluation.results_text import markdown_table
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.explain.canvas import save_figure
from xcos_tf.explain.gallery import PresetGallery, gallery_of
from xcos_tf.explain.gallery_figure import draw_group
from xcos_tf.explain.mean_attention import (
    WeightShare,
    claimed_shares,
    draw_mean_attention,
    region_shares,
)
from xcos_tf.explain.output_paths import GROUP_PICTURES, MEAN_ATTENTION
from xcos_tf.explain.words import as_number
from xcos_tf.progress import Bar
from xcos_tf.verifier import PAIR_BLOCK


@dataclass(frozen=True)
class SetMaps:
    """What a preset's default score, "learned" or another, makes of a set's pairs.

    Attributes:
        values: float32 (P,), of each pair; of videos the mean over all pairs of their frames.
        attention_maps: W of each pair, float32 (P, h, w); of videos the mean likewise.
        mean_face: uint8 (112, 112, 3) RGB, over all photos of the set.
    """

    score: str
    values: np.ndarray
    attention_maps: np.ndarray
    mean_face: np.ndarray


@dataclass(frozen=True)
class SetGallery(PresetGallery):
    """What is drawn, and said, of a set."""

    vset: VerificationSet
    maps: SetMaps

    @property
    def basis(self) -> str:
        """What the threshold is, and of what."""
        which = "for FMR 1e-3" if self.promised else "that gets the most pairs right"
        return (
            f"{self.preset} ({self.score} attention) on {self.vset.name}, threshold "
            f"{as_number(self.threshold, 4)} {which}"
        )


def explain_set(matcher: Matcher, vset: VerificationSet) -> SetMaps:
    """Explain every pair; each photo goes through the backbone once.

    Features of all photos are in memory at once, 6.3 kB each for a grid of 7×7×32, and W of all
    pairs, 0.2 kB each.

    Raises:
        XcosError: as by `embed`, or the preset has no grid.
    """
    verifier = matcher.verifier
    score = verifier.attentions[-1]
    total = np.zeros((FACE_SIZE, FACE_SIZE, 3))

    def faces() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for positions, batch in FaceReader(vset).batches(range(len(vset.photos)), "faces"):
            total[...] += batch.sum(axis=0)
            yield positions, batch

    grids = embed([matcher], faces(), len(vset.photos))[matcher]
    count = len(vset.pairs)
    values, attention_maps = np.zeros(count), np.zeros((count, *grids.shape[1:3]))
    for pairs, first, second, weight in _blocks(vset):
        outputs = verifier.explain_pairs(grids[first], grids[second], score)
        np.add.at(values, pairs, weight * outputs["xcos"])
        np.add.at(attention_maps, pairs, weight * outputs["attention_map"])
    mean_face = np.round(total / len(vset.photos)).astype(np.uint8)
    return SetMaps(score, values.astype(np.float32), attention_maps.astype(np.float32), mean_face)


def make_gallery(matcher: Matcher, vset: VerificationSet) -> SetGallery:
    """Explain a set by an xCos preset's default score.

    Raises:
        XcosError: a photo cannot be used, or the preset gives no finite features.
    """
    maps = explain_set(matcher, vset)
    [scored] = matcher.scored({maps.score: maps.values})
    gallery = gallery_of(matcher, vset, scored, FaceReader(vset).face, least=True)
    return SetGallery(**vars(gallery), vset=vset, maps=maps)


def draw_gallery(gallery: SetGallery) -> dict[str, Figure | None]:
    """Return {file name: picture}; None for a group without a pair."""
    figures = {
        name: draw_group(exhibit, "xCos", gallery.threshold, gallery.basis + ".")
        if exhibit.group.count
        else None
        for name, exhibit in zip(GROUP_PICTURES, gallery.exhibits, strict=True)
    }
    maps = gallery.maps
    figures[MEAN_ATTENTION] = draw_mean_attention(
        maps.attention_maps,
        maps.mean_face,
        region_shares(maps.attention_maps, gallery.vset.pairs.same),
        f"Mean attention over {counted(len(gallery.vset.pairs), 'pair')}",
        f"{gallery.preset} on {gallery.vset.name}",
        gallery.score,
    )
    return figures


def save_gallery(figures: Mapping[str, Figure | None], folder: Path) -> list[Path]:
    """Write the pictures and return their paths; one of an earlier run that is None now goes.

    Raises:
        XcosError: the folder cannot be made, or a picture not be written.
    """
    with explained(f"{folder} cannot be written to", "choose another folder"):
        folder.mkdir(parents=True, exist_ok=True)
        for name, figure in figures.items():
            if figure is None:
                (folder / name).unlink(missing_ok=True)
    written = {folder / name: figure for name, figure in figures.items() if figure is not None}
    for path, figure in written.items():
        save_figure(figure, path)
    return list(written)


def gallery_text(gallery: SetGallery) -> str:
    """Return the groups' sizes, and the share of weight of each region, as text with a table."""
    groups = ", ".join(f"{x.group.count:,} {x.group.title.lower()}" for x in gallery.exhibits)
    heading = ("part of the face", "weight %", "over pairs ±", "genuine %", "impostor %", "cells %")
    maps, same = gallery.maps.attention_maps, gallery.vset.pairs.same
    claimed = claimed_shares(maps, same)
    rows = [_row(share) for share in (*claimed, *region_shares(maps, same))]
    table = markdown_table((*heading, "ratio"), rows)
    return "\n".join([gallery.basis, groups, "", table, "", *map(_claim, claimed)])


def _blocks(vset: VerificationSet) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, float]]:
    """Yield pairs, the photos at their ends, and what each counts for in the pair's mean."""
    ends = vset.pairs.first, vset.pairs.second
    if vset.videos is None:
        for start in range(0, len(vset.pairs), PAIR_BLOCK):
            pairs = np.arange(start, min(start + PAIR_BLOCK, len(vset.pairs)))
            yield pairs, ends[0][pairs], ends[1][pairs], 1.0
        return
    for pair, (a, b) in enumerate(Bar(list(zip(*ends, strict=True)), "videos", unit="pair")):
        frames = np.stack(np.meshgrid(vset.videos[a], vset.videos[b])).reshape(2, -1)
        for start in range(0, frames.shape[1], PAIR_BLOCK):
            first, second = frames[:, start : start + PAIR_BLOCK]
            yield np.full(len(first), pair), first, second, 1 / frames.shape[1]


def _row(share: WeightShare) -> list[str]:
    fractions = share.mean, share.spread, share.genuine, share.impostor, share.cells
    numbers = [as_number(100 * fraction, 1) for fraction in fractions]
    return [share.part, *numbers, as_number(share.mean / share.cells, 2)]


def _claim(share: WeightShare) -> str:
    weight, cells = (as_number(100 * fraction, 1) for fraction in (share.mean, share.cells))
    ratio = as_number(share.mean / share.cells, 2)
    return (
        f"{share.part}: {weight} % of the weight on {cells} % of the cells, {ratio} "
        "times an even share"
    )
