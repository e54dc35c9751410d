"""A set as pictures: the four groups of the paper's Fig. 3, and the mean attention map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from xcos_tf.errors import XcosError
from xcos_tf.evaluation.set_faces import SetFaces
from xcos_tf.evaluation.subject import Subject
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.explain.figure import save_figure
from xcos_tf.explain.gallery_figure import Exhibit, draw_group
from xcos_tf.explain.mean_attention import WeightShare, claimed_shares, region_shares
from xcos_tf.explain.mean_attention_figure import draw_mean_attention
from xcos_tf.explain.notation import number
from xcos_tf.explain.report.cases import most_confident
from xcos_tf.explain.report.gallery import Explainer, gallery_threshold
from xcos_tf.explain.set_maps import SetMaps, explain_set
from xcos_tf.wording import counted

MEAN_ATTENTION = "mean-attention.png"


@dataclass(frozen=True)
class SetGallery:
    """What is drawn, and said, of a set.

    Attributes:
        preset: its name, as the user gave it.
        vset: the set.
        maps: see `SetMaps`.
        threshold: what the scores are held against.
        promised: whether that is the preset's own, for FMR 1e-3; otherwise it is the one that gets
            the most pairs of this set right.
        exhibits: the four groups.
        regions, claimed: see `region_shares` and `claimed_shares`.
    """

    preset: str
    vset: VerificationSet
    maps: SetMaps
    threshold: float
    promised: bool
    exhibits: Sequence[Exhibit]
    regions: Sequence[WeightShare]
    claimed: Sequence[WeightShare]

    @property
    def basis(self) -> str:
        """What the threshold is, and of what."""
        which = "for FMR 1e-3" if self.promised else "that gets the most pairs right"
        return (
            f"{self.preset} ({self.maps.score} attention) on {self.vset.name}, threshold "
            f"{number(self.threshold, 4)} {which}"
        )


def make_gallery(subject: Subject, vset: VerificationSet) -> SetGallery:
    """Explain a set by a preset's default score.

    Args:
        subject: an xCos preset.
        vset: the set.

    Raises:
        XcosError: a photo cannot be used, or the preset gives no finite features.
    """
    maps, same = explain_set(subject, vset), vset.pairs.same
    [scored] = subject.scored({maps.score: maps.values})
    threshold, promised = gallery_threshold(scored, same)
    explainer = Explainer(subject, vset, scored, SetFaces(vset).face)
    exhibits = [
        Exhibit(group, *([explainer.case(pair) for pair in x] for x in (group.shown, group.least)))
        for group in most_confident(maps.values, same, threshold)
    ]
    shares = [of(maps.attention_maps, same) for of in (region_shares, claimed_shares)]
    return SetGallery(subject.name, vset, maps, threshold, promised, exhibits, *shares)


def draw_gallery(gallery: SetGallery) -> dict[str, Figure | None]:
    """Return {file name: picture}; None for a group without a pair."""
    figures = {
        picture_name(exhibit): draw_group(exhibit, "xCos", gallery.threshold, gallery.basis + ".")
        if exhibit.group.count
        else None
        for exhibit in gallery.exhibits
    }
    maps = gallery.maps
    figures[MEAN_ATTENTION] = draw_mean_attention(
        maps.attention_maps,
        maps.mean_face,
        gallery.regions,
        f"Mean attention over {counted(len(gallery.vset.pairs), 'pair')}",
        f"{gallery.preset} on {gallery.vset.name}",
        maps.score,
    )
    return figures


def save_gallery(figures: Mapping[str, Figure | None], folder: Path) -> list[Path]:
    """Write the pictures and return their paths; one of an earlier run that is None now goes.

    Raises:
        XcosError: the folder cannot be made, or a picture not be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, figure in figures.items():
            if figure is None:
                (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise XcosError(
            f"{folder} cannot be written to ({error.strerror}); choose another folder"
        ) from None
    written = {folder / name: figure for name, figure in figures.items() if figure is not None}
    for path, figure in written.items():
        save_figure(figure, path)
    return list(written)


def picture_name(exhibit: Exhibit) -> str:
    """Return the file name of a group's picture, such as "true-accepts.png"."""
    return exhibit.group.title.lower().replace(" ", "-") + ".png"


def gallery_text(gallery: SetGallery) -> str:
    """Return the groups' sizes, and the share of weight of each region, as text with a table."""
    groups = ", ".join(f"{x.group.count:,} {x.group.title.lower()}" for x in gallery.exhibits)
    rows = [
        "| part of the face | weight % | over pairs ± | genuine % | impostor % | cells % | ratio |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(_row(share) for share in (*gallery.claimed, *gallery.regions)),
    ]
    return "\n".join([gallery.basis, groups, "", *rows, "", *map(_claim, gallery.claimed)])


def _row(share: WeightShare) -> str:
    fractions = share.mean, share.spread, share.genuine, share.impostor, share.cells
    numbers = [number(100 * fraction, 1) for fraction in fractions]
    return f"| {share.part} | {' | '.join(numbers)} | {number(share.mean / share.cells, 2)} |"


def _claim(share: WeightShare) -> str:
    return (
        f"{share.part}: {number(100 * share.mean, 1)} % of the weight on "
        f"{number(100 * share.cells, 1)} % of the cells, {number(share.mean / share.cells, 2)} "
        "times an even share"
    )
