"""A gallery as the page shows it: numbers as text, faces and maps as pictures."""

from dataclasses import dataclass

from xcos_tf.explain.notation import as_sentence, number, told_apart
from xcos_tf.explain.report.gallery import Case, PresetGallery
from xcos_tf.explain.report.map_cells import DrawnMap, draw_maps
from xcos_tf.explain.report.pictures import face_uri
from xcos_tf.explain.report.styles import Score


@dataclass(frozen=True)
class ShownPhoto:
    """A face and what it is called."""

    uri: str
    letter: str
    name: str


@dataclass(frozen=True)
class ShownCase:
    """One pair: the score, `sign` (≥ or <) and the threshold; of videos the frames' score too."""

    score: str
    sign: str
    threshold: str
    frames_score: str
    photos: list[ShownPhoto]
    maps: tuple[DrawnMap, DrawnMap]
    sentence: str


@dataclass(frozen=True)
class ShownGroup:
    """Pairs that were judged alike, and whether rightly."""

    title: str
    meaning: str
    right: bool
    cases: list[ShownCase]


@dataclass(frozen=True)
class ShownGallery:
    """The gallery of one preset."""

    score: Score
    threshold: str
    groups: list[ShownGroup]


def exhibit(gallery: PresetGallery) -> ShownGallery:
    """Return a gallery ready for the page."""
    shown = number(gallery.threshold, 4)
    threshold = (
        f"at its threshold for FMR 1e-3, {shown}"
        if gallery.promised
        else f"which has no threshold for FMR 1e-3; at the one that gets the most pairs of this "
        f"set right, {shown}"
    )
    groups = []
    for group, cases in gallery.groups:
        meaning = as_sentence(group.meaning)
        if len(cases) < group.count:
            meaning += f" The {len(cases)} surest of {group.count:,}."
        shown_cases = [_exhibit_case(case, gallery.threshold) for case in cases]
        title = f"{group.title}: {group.count:,}"
        groups.append(ShownGroup(title, meaning, group.right, shown_cases))
    return ShownGallery(Score(gallery.preset, gallery.score), threshold, groups)


def _exhibit_case(case: Case, threshold: float) -> ShownCase:
    score, shown_threshold = told_apart(case.score, threshold)
    names, frames_score = case.names, ""
    if case.frames is not None:
        *frames, value = case.frames
        names = [f"{name}: {frame}" for name, frame in zip(names, frames, strict=True)]
        frames_score = number(value, 2)
    photos = [
        ShownPhoto(face_uri(face), letter, name)
        for face, letter, name in zip(case.faces, "AB", names, strict=True)
    ]
    return ShownCase(
        score,
        "≥" if case.score >= threshold else "<",
        shown_threshold,
        frames_score,
        photos,
        draw_maps(case.similarity_map, case.attention_map),
        as_sentence(case.sentence),
    )
