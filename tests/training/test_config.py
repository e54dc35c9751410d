import copy
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from xcos_tf.errors import XcosError
from xcos_tf.models.builder import build_network
from xcos_tf.schemas import Strict
from xcos_tf.training.config import (
    AugmentationConfig,
    BatchConfig,
    DevicesConfig,
    IdentificationConfig,
    LossConfig,
    OptimizersConfig,
    ScheduleConfig,
    StartConfig,
    TrainingConfig,
)
from xcos_tf.training.config_reader import check_config, read_config
from xcos_tf.yaml_text import parse_yaml, to_yaml

CONFIGS = Path(__file__).parents[2] / "configs"
SHIPPED = CONFIGS / "xcos-mobilefacenet.yaml"
COLUMNS = [
    f"{h}-{s}"
    for h in ("arcface", "cosface")
    for s in ("baseline", "patched", "correlated", "learned")
]


@pytest.fixture
def values():
    return parse_yaml(SHIPPED.read_bytes(), SHIPPED)


@pytest.fixture
def write(tmp_path):
    def write(change):
        values = parse_yaml(SHIPPED.read_bytes(), SHIPPED)
        change(values)
        path = tmp_path / "run.yaml"
        path.write_text(to_yaml(values))
        return path

    return write


def in_epochs(balance=None, sample=None, weights=None, **batch):
    """Return what makes the shipped configuration one of epochs, with 48 pairs unless `batch`."""

    def change(values):
        values.update(epochs=2, steps=None, batch={"pairs": 48, **batch})
        values["data"].update(weights=weights or {})
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
    """Each row of docs/paper-settings.md, whose values are the paper's but for "ours"."""
    config, text = read_config(CONFIGS / "paper" / data / f"{column}.yaml")
    head, score = column.split("-")
    baseline = score == "baseline"
    assert config.name == f"{data}-{column}" == parse_yaml(text.encode(), "it")["name"]
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
    assert config.model.section == model
    assert config.start == StartConfig()
    assert config.teacher == (None if baseline else f"runs/{data}-{head}-baseline/preset")
    # The batch and its sampler: an epoch sees each image once.
    assert (config.epochs, config.steps) == (20, None)
    batch = BatchConfig(faces=96) if baseline else BatchConfig(pairs=48, genuine=0.5)
    assert config.batch == batch and batch.images == 96
    assert config.augmentation == AugmentationConfig(flip=0.5)
    # The losses.
    scale, margin = MARGINS[head]
    loss = LossConfig(
        identification=IdentificationConfig(weight=1.0), head=head, scale=scale, margin=margin
    )
    assert config.loss == (loss if baseline else loss.model_copy(update={score: 1.0}))
    assert loss.identification.feature == "flattened" and loss.teacher_input == "augmented"
    assert loss.balance is loss.sample is None and loss.cosine == 0
    # Rates, decay and schedule.
    assert config.optimizers == OptimizersConfig(
        backbone=SGD,
        head=SGD,
        margin_head={**SGD, "l2": 4e-4},
        attention=ADAM if score == "learned" else None,
    )
    assert config.schedule == ScheduleConfig(kind="step", drops=[12, 15, 18], factor=0.1, warmup=0)
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
    changes = {
        "batch": one.batch.model_copy(update={"times": 4}),
        "devices": DevicesConfig(strategy="mirrored", precision="mixed_float16"),
        "schedule": one.schedule.model_copy(update={"warmup": 1.0}),
    }
    assert config == one.model_copy(update=changes)


def test_no_file_of_the_paper_is_left_over():
    files = {path.relative_to(CONFIGS / "paper") for path in (CONFIGS / "paper").rglob("*.yaml")}
    columns = {Path(data, f"{column}.yaml") for data in ("ms1m", "casia") for column in COLUMNS}
    others = {path for path in files - columns if path.name != "multi-gpu.yaml"}
    read = [parse_yaml((CONFIGS / "paper" / f).read_bytes(), f) for f in files]
    extended = [values.get("extends") for values in read]
    names = [name for x in extended if x for name in ([x] if isinstance(x, str) else x)]
    assert columns <= files and {path.name for path in others} == {Path(n).name for n in names}


def test_the_paper_s_models_are_built():
    for name in ("arcface-baseline", "cosface-learned"):
        config, _ = read_config(CONFIGS / "paper" / "ms1m" / f"{name}.yaml")
        network = build_network(config.model.section)
        assert network.features.output_shape[1:] == ((7, 7, 32) if config.explains else (512,))
        assert any("se_reduce" in layer.name for layer in network.backbone.layers)


@pytest.mark.parametrize(
    "change, sentence",
    [
        (lambda v: v.update(epoch=3), r"unknown key `epoch`; did you mean `epochs`\?$"),
        (lambda v: v.update(zzz=3), "unknown key `zzz`; known keys: name, model"),
        (lambda v: v["loss"].update(lerned=1.0), r"`loss\.lerned`; did you mean `learned`\?$"),
        (lambda v: v["model"]["xcos"].update(chanels=3), "`model.xcos.chanels`; did you mean `ch"),
        (lambda v: v.pop("loss"), "loss must be given"),
        (lambda v: v["data"].pop("sets"), r"data\.sets must be given"),
        (lambda v: v.update(steps="many"), "steps must be a whole number; it is 'many'"),
        (lambda v: v.update(steps=True), "steps must be a whole number; it is True"),
        (lambda v: v["loss"].update(learned="0.1"), r"loss\.learned must be a number; it is '0.1'"),
        (lambda v: v.update(data=[1]), "data must hold keys and values"),
        (lambda v: v["data"].update(sets=[1]), r"data\.sets\.0 must be text; it is 1"),
        (lambda v: v["data"].update(sets=[]), r"data\.sets must hold 1 or more"),
        (lambda v: v["data"].update(sets=["a", "./a"]), r"data\.sets must name nothing twice"),
        (lambda v: v["data"].update(sets=["a\nb"]), r"data\.sets\.0 must be text .* on one line"),
        (lambda v: v["data"].update(hold_out={"pins90": 1.5}), "pins90 must be a whole number"),
        (lambda v: v["data"].update(hold_out={"pins90": -1}), "hold_out.pins90 must be 0 or more"),
        (lambda v: v.update(validation={"genuine": 0}), "validation.genuine must be 1 or more"),
        (lambda v: v.update(finish={"correlation_pairs": 1}), "must be 0, or 2 or more"),
        (lambda v: v.update(epochs=2), "one of `epochs` and `steps`"),
        (lambda v: v.update(epochs=2, steps=None), r"batch\.groups belongs to a run of steps"),
        (in_epochs(pairs=0), r"takes either batch\.pairs or batch\.faces"),
        (in_epochs(faces=4), r"takes either batch\.pairs or batch\.faces"),
        (in_epochs(accumulate=5), r"batch\.pairs must be a multiple of batch\.accumulate"),
        (in_epochs(balance="genuine"), "a run of epochs leaves them to chance"),
        (in_epochs(weights={"pins90": 2}), "chances of people, whom a run of steps draws"),
        (in_epochs(sample=95), "the 96 people that a batch can show; it is 95"),
        (in_epochs(pairs=40_000), "at most 65536 faces and 1048576 pairs in a step; it has 80000"),
        (lambda v: v["batch"].update(groups=10**9), "at most 65536 faces"),
        (lambda v: v["batch"].update(people=10**9), r"people × batch\.faces must be 8192 or less"),
        (lambda v: v["batch"].pop("people"), r"a run of steps needs batch\.people"),
        (lambda v: v.update(steps=0), "steps must be 1 or more; it is 0"),
        (lambda v: v["augmentation"].update(flip=1.5), "flip must be 1 or less; it is 1.5"),
        (lambda v: v["loss"].update(head="softmax"), "head must be 'arcface' or 'cosface'"),
        (lambda v: v["loss"].update(margin=3), r"loss\.margin of cosface must be 2 or less"),
        (lambda v: v["loss"].update(scale=0), r"loss\.scale must be 0.001 or more; it is 0"),
        (lambda v: v["loss"].update(sample=10**12), r"loss\.sample must be 100000000 or less"),
        (lambda v: v.update(devices={"precision": "half"}), "precision must be 'float32', "),
        (lambda v: v.update(seed=2**32), "seed must be 4294967295 or less; it is 4294967296"),
        (lambda v: v["data"].update(hold_out={"lfw": 1}), "'lfw', which is not among data.sets"),
        (lambda v: v["data"].update(weights={"lfw": 1}), "data.weights names 'lfw', which is not"),
        (lambda v: v["data"].update(weights={"pins90": 0}), "pins90 must be 1e-06 or more; it is"),
        (lambda v: v.pop("teacher"), r"loss\.learned needs a `teacher`"),
        (lambda v: v["batch"].update(pairs=0), r"loss\.learned needs batch\.pairs"),
        (lambda v: v["batch"].update(accumulate=2), r"groups must be a multiple of batch\.accum"),
        (lambda v: v["loss"].update(identification={"weight": 0}), "margin_head is trained by"),
        (lambda v: v["loss"].update(identification=1.0), "identification must hold keys and"),
        (lambda v: v["loss"]["identification"].update(feature="all"), "'flattened' or 'cells'"),
        (lambda v: v["loss"].update(balance="half"), r"loss\.balance must be 'genuine'"),
        (lambda v: v["schedule"].update(drops=[1000]), r"drops belong to schedule\.kind: step"),
        (lambda v: v["schedule"].update(drops=[2, 1]), r"schedule\.drops must ascend"),
        (lambda v: v.update(devices={"logical_cpus": 2}), "needs devices.strategy: mirrored"),
        (lambda v: v["model"].pop("xcos"), "`xcos` or `embedding_head`"),
        (lambda v: v["model"].update(backbone={}), r"model\.backbone must hold `kind`"),
        (lambda v: v["model"].update(backbone={"kind": "ir", "a": [1e9]}), "at most 16384; it is"),
        (lambda v: v["model"]["xcos"].update(attentions=["patched"]), "learned is wanted"),
        (lambda v: v["model"]["xcos"].update(attentions=5), "attentions must be a list; it is 5"),
        (lambda v: v["model"]["xcos"].update(attentions=[]), "attentions must hold 1 or more"),
        (lambda v: v.update(optimizers={}), "no part of optimizers has one"),
        (
            lambda v: v["optimizers"]["head"].pop("learning_rate"),
            "learning_rate must be given",
        ),
        (
            lambda v: v["optimizers"]["head"].update(l2=-1),
            r"optimizers\.head\.l2 must be 0 or more",
        ),
        (lambda v: v["optimizers"].update(clip_norm=-1), r"clip_norm must be above 0; it is -1"),
        (lambda v: v.update(validation={"best_by": "cosine"}), "is a baseline's"),
        (lambda v: v["loss"].update(cosine=1.0), r"loss\.cosine is a baseline's; give learned"),
        (lambda v: v["loss"].update(patched=-1), "patched must be 0 or more"),
        (lambda v: v["loss"].update(teacher_input="all"), "must be 'augmented' or 'original'"),
        (lambda v: v["loss"].update(teacher_input="original"), r"augmentation\.blend 0"),
        (lambda v: v["data"].update(remember=0), r"data\.remember must be 1 or more"),
        (
            lambda v: (v["data"].update(remember=9), v["start"].update(frozen_until=None)),
            r"data\.remember needs start\.frozen_until",
        ),
        (lambda v: v["batch"].update(near=3.0), r"batch\.near needs data\.remember"),
        (lambda v: v["optimizers"].update(context="ridge"), r"ridge needs model\.xcos\.context"),
        (
            lambda v: (
                v["model"]["xcos"].update(context=192, attentions=["patched"]),
                v["loss"].update(learned=0, patched=1),
                v["optimizers"].update(context="ridge", attention=None),
            ),
            r"and a weight of loss\.learned",
        ),
        (
            lambda v: (
                v["model"]["xcos"].update(context=192),
                v["optimizers"].update(context="ridge"),
                v.update(devices={"strategy": "multi_worker"}),
            ),
            "fitted on one machine",
        ),
        (
            lambda v: v["loss"].update(covering={"weight": 0.1}),
            r"loss\.covering needs data\.remember",
        ),
        (
            lambda v: (
                v["data"].update(remember=9),
                v["loss"].update(covering={"weight": 0.1, "faces": 999}),
            ),
            r"covering\.faces must be at most the \d+ faces",
        ),
        (
            lambda v: (v["data"].update(remember=9), v["loss"].update(teacher_input="original")),
            r"remember keeps no images for loss\.teacher_input",
        ),
        (
            lambda v: v.update(
                data={**v["data"], "remember": 9}, devices={"strategy": "multi_worker"}
            ),
            "beside the run of one machine",
        ),
        (lambda v: v["finish"].update(facts={"format": 99}), "facts must not name format, which"),
        (lambda v: v["finish"].update(facts={"a": [2**70]}), r"finish\.facts\.a must have finite"),
    ],
)
def test_mistakes_are_named(values, change, sentence):
    change(values)
    with pytest.raises(XcosError, match=sentence):
        check_config(values, "run.yaml")


def sections(schema):
    """Return {key: schema} of what a schema has within it."""
    within = {}
    for key, field in schema.model_fields.items():
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, Strict):
                within[key] = part
    return within


def numbers(schema, path=()):
    """Yield the path of every number, and list or mapping of numbers, that a schema has."""
    within = sections(schema)
    for key, field in schema.model_fields.items():
        if key in within:
            yield from numbers(within[key], (*path, key))
        elif "int" in str(field.annotation) or "float" in str(field.annotation):
            yield (*path, key)


NUMBERS = list(numbers(TrainingConfig))
ODD = [math.nan, math.inf, -math.inf, -1, 0, -0.0, 0.5, 10**30, -(10**30), 1e308, 5e-324, 2**63]
ODD += [True, False, "3", "", "no", [], [math.nan], [[1]], {}, {"a": 1}, {"a": math.nan}, None]


@pytest.mark.parametrize("path", NUMBERS, ids=".".join)
def test_no_number_is_taken_that_cannot_be(values, path):
    """Whatever stands in its place, a number is in its range, or one sentence names its key."""
    section = values
    for key in path[:-1]:
        section[key] = section.get(key) or {}
        section = section[key]
    for odd in ODD:
        section[path[-1]] = copy.deepcopy(odd)
        try:
            found = check_config(values, "run.yaml")
        except XcosError as error:
            assert len(str(error)) < 400 and "\n" not in str(error)
            continue
        for key in path:
            found = getattr(found, key)
        assert found == odd and (odd in (None, [], {}) or math.isfinite(odd))


def test_every_number_is_walked():
    assert len(NUMBERS) > 60
    assert {("seed",), ("optimizers", "margin_head", "epsilon")} <= set(NUMBERS)
    assert {("schedule", "drops"), ("data", "hold_out"), ("loss", "sample")} <= set(NUMBERS)


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
    batch = config.batch.model_copy(update={"people": 8, "faces": 4})
    assert config == read_config(SHIPPED)[0].model_copy(update={"steps": 5, "batch": batch})
    (tmp_path / "again.yaml").write_text(text)
    assert read_config(tmp_path / "again.yaml")[0] == config
    (tmp_path / "more.yaml").write_text("steps: 0")
    with pytest.raises(XcosError, match=r"mobilefacenet.yaml \+ .*more.yaml: steps must be 1 or"):
        read_config(SHIPPED, tmp_path / "more.yaml")


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("extends: run.yaml", "extends itself"),
        ("extends: none.yaml", "none.yaml is missing"),
        ("extends: {a: 1}", "a file or a list of files"),
    ],
)
def test_what_cannot_be_extended_is_said(tmp_path, text, sentence):
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(XcosError, match=sentence):
        read_config(path)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(XcosError, match=r"the configuration .*none.yaml is missing"):
        read_config(tmp_path / "none.yaml")
    with pytest.raises(XcosError, match="cannot be read"):
        read_config(tmp_path)


def test_files_that_extend_one_another_without_end(tmp_path):
    for i in range(40):
        (tmp_path / f"{i}.yaml").write_text(f"extends: [{i + 1}.yaml, {i + 1}.yaml]\n")
    (tmp_path / "40.yaml").write_text("steps: 5\n")
    with pytest.raises(XcosError, match="is one of more than 100 files"):
        read_config(tmp_path / "0.yaml")


def test_words_of_yaml_1_1_stay_switches(values):
    values["model"]["backbone"]["batch_norm"] = "no"
    values["model"]["xcos"]["cell_affine"] = "Yes"
    values["devices"] = {"deterministic": "on"}
    config = check_config(values, "run.yaml")
    assert config.devices.deterministic is True and config.model.xcos.cell_affine is True
    assert config.model.section["backbone"]["batch_norm"] is False


def test_each_configuration_reads_back_the_same():
    """What a run's folder keeps is what the run was made with."""
    named = [path for path in CONFIGS.rglob("*.yaml") if "\nname: " in path.read_text()]
    assert len(named) == 21
    for path in named:
        config, text = read_config(path)
        values = parse_yaml(text.encode(), path)
        assert check_config(values, path) == config
        assert parse_yaml(to_yaml(values).encode(), path) == values


def test_a_configuration_is_read_without_tensorflow():
    program = "import sys, xcos_tf.training.config_reader; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


def test_each_key_is_explained():
    """Every key of every section stands in docs/configuration.md, whose tables have no others."""
    text = (CONFIGS.parent / "docs/configuration.md").read_text(encoding="utf-8")

    def keys(schema):
        yield from schema.model_fields
        for within in sections(schema).values():
            yield from keys(within)

    known = set(keys(TrainingConfig))
    missing = {key for key in known if not re.search(rf"`[^`\n]*\b{key}\b", text)}
    assert missing == set()
    table = text[text.index("## Keys") : text.index("## Going on")]
    named = " ".join(re.findall(r"^\|([^|]*)\|", table, re.M))
    assert set(re.findall(r"`(\w+)`", named)) - known == {"extends"}


def test_a_byte_order_mark_is_passed_over(tmp_path):
    (tmp_path / "run.yaml").write_bytes(b"\xef\xbb\xbf" + SHIPPED.read_bytes())
    assert read_config(tmp_path / "run.yaml")[0] == read_config(SHIPPED)[0]


def test_a_key_that_is_no_text():
    with pytest.raises(XcosError, match="a key is no text that can be written"):
        check_config({"\ud800": 1}, "run.yaml")
