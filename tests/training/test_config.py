from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from xcos_tf.errors import XcosError
from xcos_tf.models.builder import build_network
from xcos_tf.training.config import (
    AugmentationConfig,
    BatchConfig,
    DevicesConfig,
    IdentificationConfig,
    LossConfig,
    OptimizersConfig,
    ScheduleConfig,
    StartConfig,
)
from xcos_tf.training.config_checks import read_config

CONFIGS = Path(__file__).parents[2] / "configs"
SHIPPED = CONFIGS / "xcos-mobilefacenet.yaml"
COLUMNS = [
    f"{h}-{s}"
    for h in ("arcface", "cosface")
    for s in ("baseline", "patched", "correlated", "learned")
]


@pytest.fixture
def write(tmp_path):
    def write(change):
        values = yaml.safe_load(SHIPPED.read_text())
        change(values)
        path = tmp_path / "run.yaml"
        path.write_text(yaml.safe_dump(values))
        return path

    return write


def in_epochs(balance=None, sample=None, **batch):
    """Return what makes the shipped configuration one of epochs, with 48 pairs unless `batch`."""

    def change(values):
        values.update(epochs=2, steps=None, batch={"pairs": 48, **batch})
        values["loss"].update(balance=balance, sample=sample)

    return change


def test_the_shipped_configuration_is_valid():
    config, text = read_config(SHIPPED)
    assert config.batch.people == 32
    assert text == SHIPPED.read_text()
    assert config.scores == ("learned", "patched") and config.best_by == "learned"


SGD = {"name": "SGD", "learning_rate": 1e-3, "momentum": 0.9, "l2": 4e-5}
ADAM = {"name": "Adam", "learning_rate": 1e-4, "amsgrad": True, "l2": 4e-5, "epsilon": 1e-8}
MARGINS = {"arcface": (64.0, 0.5), "cosface": (30.0, 0.35)}


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("data", ["ms1m", "casia"])
def test_each_column_of_table_2(data, column):
    """Each row of the table in configs/README.md, whose values are the paper's but for "ours"."""
    config, text = read_config(CONFIGS / "paper" / data / f"{column}.yaml")
    head, score = column.split("-")
    baseline = score == "baseline"
    assert config.name == f"{data}-{column}" == yaml.safe_load(text)["name"]
    assert config.data.sets == [data]
    assert config.data.hold_out == {data: {"ms1m": 200, "casia": 100}[data]}
    # The model, where it starts, and who teaches it.
    model = {"backbone": {"kind": "ir", "depth": 50, "squeeze_excitation": True}}
    if baseline:
        model["embedding_head"] = {"kind": "fc", "dimension": 512, "dropout": 0.6}
    else:
        model["xcos"] = {"channels": 32, "attentions": [score]}
    if score == "learned":
        model["xcos"]["symmetric"] = False
    assert config.model == model
    assert config.start == StartConfig()
    assert config.teacher == (None if baseline else f"runs/{data}-{head}-baseline/preset")
    # The batch and its sampler: an epoch sees each image once.
    assert (config.epochs, config.steps) == (20, None)
    batch = BatchConfig(faces=96) if baseline else BatchConfig(pairs=48, genuine=0.5)
    assert config.batch == batch and batch.images == 96
    assert config.augmentation == AugmentationConfig(flip=0.5)
    # The losses.
    scale, margin = MARGINS[head]
    loss = LossConfig(IdentificationConfig(1.0), head=head, scale=scale, margin=margin)
    assert config.loss == (loss if baseline else replace(loss, **{score: 1.0}))
    assert loss.identification.feature == "flattened" and loss.teacher_sees == "changed"
    assert loss.balance is loss.sample is None and loss.locality == 0
    # Rates, decay and schedule.
    assert config.optimizers == OptimizersConfig(
        backbone=SGD,
        head=SGD,
        margin_head={**SGD, "l2": 4e-4},
        attention=ADAM if score == "learned" else None,
    )
    assert config.schedule == ScheduleConfig("step", [12, 15, 18], 0.1, warmup=0)
    assert config.devices == DevicesConfig()
    assert config.scores == (() if baseline else (score,))
    assert config.best_by == ("cosine" if baseline else score)
    assert (config.finish.weights, config.finish.correlation_pairs) == ("last", 100_000)


@pytest.mark.parametrize("column", COLUMNS)
def test_several_gpus_share_a_batch_four_times_as_large(column):
    one_file = CONFIGS / "paper" / "ms1m" / f"{column}.yaml"
    config, _ = read_config(one_file, CONFIGS / "paper" / "multi-gpu.yaml")
    assert (config.batch.parts, config.batch.images) in ((192, 384), (384, 384))
    one, _ = read_config(one_file)
    assert config == replace(
        one,
        batch=replace(one.batch, times=4),
        devices=DevicesConfig(strategy="mirrored", precision="mixed_float16"),
        schedule=replace(one.schedule, warmup=1.0),
    )


def test_no_file_of_the_paper_is_left_over():
    files = {path.relative_to(CONFIGS / "paper") for path in (CONFIGS / "paper").rglob("*.yaml")}
    columns = {Path(data, f"{column}.yaml") for data in ("ms1m", "casia") for column in COLUMNS}
    others = {path for path in files - columns if path.name != "multi-gpu.yaml"}
    extended = [yaml.safe_load((CONFIGS / "paper" / f).read_text()).get("extends") for f in files]
    names = [name for x in extended if x for name in ([x] if isinstance(x, str) else x)]
    assert columns <= files and {path.name for path in others} == {Path(n).name for n in names}


def test_the_paper_s_models_are_built():
    for name in ("arcface-baseline", "cosface-learned"):
        config, _ = read_config(CONFIGS / "paper" / "ms1m" / f"{name}.yaml")
        network = build_network(config.model)
        assert network.features.output_shape[1:] == ((7, 7, 32) if config.explains else (512,))
        assert any("se_reduce" in layer.name for layer in network.backbone.layers)


@pytest.mark.parametrize(
    "change, sentence",
    [
        (lambda v: v.update(step=3), "unknown key 'step'; did you mean 'steps'"),
        (lambda v: v["loss"].update(lerned=1.0), "unknown key 'lerned'; did you mean 'learned'"),
        (lambda v: v.pop("loss"), "lacks loss"),
        (lambda v: v.update(steps="many"), "steps must be of type int"),
        (lambda v: v.update(steps=True), "steps must be of type int"),
        (lambda v: v["loss"].update(learned="1e-3"), "write 1.0e-3"),
        (lambda v: v.update(data=[1]), "must hold keys and values"),
        (lambda v: v["data"].update(sets=[1]), "sets must be of type str"),
        (lambda v: v["data"].update(hold_out={"pins90": 1.5}), "pins90 must be of type int"),
        (lambda v: v.update(epochs=2), "one of `epochs` and `steps`"),
        (lambda v: v.update(epochs=2, steps=None), "batch: groups belongs to a run of steps"),
        (in_epochs(pairs=0), "takes either pairs or faces"),
        (in_epochs(faces=4), "takes either pairs or faces"),
        (in_epochs(accumulate=5), "batch: pairs must be a multiple of accumulate"),
        (in_epochs(balance="genuine"), "a run of epochs leaves them to chance"),
        (in_epochs(sample=95), "the 96 people that a batch can show; it is 95"),
        (lambda v: v["batch"].pop("people"), "batch: a run of steps needs people"),
        (lambda v: v.update(steps=0), "steps must be 1 or more; it is 0"),
        (lambda v: v["augmentation"].update(flip=1.5), "flip must be from 0 to 1; it is 1.5"),
        (lambda v: v["loss"].update(head="softmax"), "head must be one of arcface, cosface"),
        (lambda v: v.update(devices={"precision": "half"}), "precision must be one of float32"),
        (lambda v: v["data"].update(hold_out={"lfw": 1}), "'lfw', which is not among the sets"),
        (lambda v: v.pop("teacher"), "loss: learned needs a `teacher`"),
        (lambda v: v["batch"].update(pairs=0), "loss: learned needs batch: pairs"),
        (lambda v: v["batch"].update(accumulate=2), "groups must be a multiple of accumulate"),
        (lambda v: v["loss"].update(identification={"weight": 0}), "margin_head is trained by"),
        (lambda v: v["loss"].update(identification=1.0), "identification must hold keys and"),
        (lambda v: v["loss"]["identification"].update(feature="all"), "one of flattened, cells"),
        (lambda v: v["loss"].update(balance="half"), "balance must be one of genuine"),
        (lambda v: v["schedule"].update(drops=[1000]), "drops belong to kind: step"),
        (lambda v: v.update(devices={"logical_cpus": 2}), "needs strategy: mirrored"),
        (lambda v: v["model"].pop("xcos"), "`xcos` or `embedding_head`"),
        (lambda v: v["model"]["xcos"].update(attentions=["patched"]), "learned is wanted"),
        (lambda v: v.update(optimizers={}), "no part has one"),
        (lambda v: v.update(validation={"best_by": "cosine"}), "is a baseline's"),
        (lambda v: v["loss"].update(cosine=1.0), "loss: cosine is a baseline's; give learned"),
        (lambda v: v["loss"].update(locality=-1), "locality must be 0 or more"),
        (lambda v: v["loss"].update(teacher_sees="all"), "must be one of changed, original"),
        (lambda v: v["loss"].update(teacher_sees="original"), "augmentation: blend 0"),
    ],
)
def test_mistakes_are_named(write, change, sentence):
    with pytest.raises(XcosError, match=sentence):
        read_config(write(change))


def test_a_run_of_epochs_takes_pairs(write):
    config, _ = read_config(write(in_epochs()))
    assert (config.batch.parts, config.batch.images) == (48, 96)
    shipped = read_config(SHIPPED)[0].batch
    assert (shipped.parts, shipped.images) == (1, 128)


def test_a_file_extends_others_key_by_key(tmp_path):
    (tmp_path / "more.yaml").write_text("steps: 5\nbatch: {people: 8}\n")
    path = tmp_path / "run.yaml"
    path.write_text(f"extends: [{SHIPPED}, more.yaml]\nbatch: {{faces: 2}}\n")
    config, text = read_config(path)
    assert (config.steps, config.batch.people, config.batch.faces) == (5, 8, 2)
    assert config.batch.pairs == read_config(SHIPPED)[0].batch.pairs
    (tmp_path / "again.yaml").write_text(text)  # what a run folder keeps stands alone
    assert read_config(tmp_path / "again.yaml")[0] == config


def test_a_later_file_goes_over_an_earlier_one(tmp_path):
    (tmp_path / "more.yaml").write_text("steps: 5\nbatch: {people: 8}\n")
    config, text = read_config(SHIPPED, tmp_path / "more.yaml")
    assert config == replace(
        read_config(SHIPPED)[0], steps=5, batch=replace(config.batch, people=8, faces=4)
    )
    (tmp_path / "again.yaml").write_text(text)
    assert read_config(tmp_path / "again.yaml")[0] == config
    (tmp_path / "more.yaml").write_text("steps: 0")
    with pytest.raises(XcosError, match=r"mobilefacenet.yaml \+ .*more.yaml: steps must be 1 or"):
        read_config(SHIPPED, tmp_path / "more.yaml")


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("extends: run.yaml", "extends itself"),
        ("extends: none.yaml", "cannot read .*none.yaml"),
        ("extends: {a: 1}", "a file or a list of files"),
    ],
)
def test_what_cannot_be_extended_is_said(tmp_path, text, sentence):
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(XcosError, match=sentence):
        read_config(path)


def test_missing_file_and_bad_yaml(tmp_path):
    with pytest.raises(XcosError, match="cannot read"):
        read_config(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [1")
    with pytest.raises(XcosError, match="cannot read"):
        read_config(tmp_path / "bad.yaml")


def test_yaml_cannot_build_objects(tmp_path):
    (tmp_path / "evil.yaml").write_text("!!python/object/apply:os.system ['true']")
    with pytest.raises(XcosError, match="cannot read"):
        read_config(tmp_path / "evil.yaml")


def test_a_byte_order_mark_is_passed_over(tmp_path):
    (tmp_path / "run.yaml").write_bytes(b"\xef\xbb\xbf" + SHIPPED.read_bytes())
    assert read_config(tmp_path / "run.yaml")[0] == read_config(SHIPPED)[0]
