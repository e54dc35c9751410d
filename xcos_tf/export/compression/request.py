"""What to fine-tune and how: what a child process is told, and what a preset's record says."""

from dataclasses import dataclass, field

VARIANTS = ("pruned", "clustered", "qat")


@dataclass(frozen=True)
class Request:
    """One fine-tuning.

    Attributes:
        preset: name or folder of an xCos preset.
        variant: one of `VARIANTS`.
        sets: prepared sets to draw faces from, folders.
        hold_out: {set's name: people of it that are left out}, as the preset's training did.
        hold_out_seed: of that draw.
        steps: to make, 1 or more.
        batch: faces of a step.
        rate: the highest learning rate; it comes and goes by a cosine.
        seed: of the faces' order and of their augmentation.
        every: steps between two checkpoints.
        calibration: faces to see the channels' sizes on.
        sparsity: share of each large kernel's weights that become 0; "pruned" alone.
        clusters: distinct values of each large kernel; "clustered" alone.
    """

    preset: str
    variant: str
    sets: list[str]
    hold_out: dict[str, int] = field(default_factory=dict)
    hold_out_seed: int = 0
    steps: int = 600
    batch: int = 32
    rate: float = 5e-5
    seed: int = 1
    every: int = 50
    calibration: int = 256
    sparsity: float = 0.5
    clusters: int = 64
