import json
import shutil

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from tests.models.pytorch_twin import Backbone, XCos, randomise
from xcos_tf.cli.main import main
from xcos_tf.models.conversion import build_converted, read_state_dict
from xcos_tf.models.presets import load_preset
from xcos_tf.models.pytorch_keys import convert_state_dict
from xcos_tf.models.weights import read_arrays

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def twin():
    torch.set_num_threads(2)
    return randomise(XCos())


@pytest.fixture(scope="module")
def converted(twin, tmp_path_factory):
    """Run the tool on a checkpoint such as the authors' trainer saves."""
    folder = tmp_path_factory.mktemp("converted")
    state = {f"module.{key}": value for key, value in twin.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": state}, folder / "xcos.pth")
    arguments = [folder / "xcos.pth", folder / "xcos", "--teacher", folder / "teacher"]
    arguments += ["--margin-head", folder / "margin.safetensors", "--licence", "MIT"]
    assert main(["convert", *map(str, arguments)]) == 0
    yield folder
    # Some 600 MB, which pytest would keep for three runs.
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def images():
    """Two batches of pictures (2, 3, 112, 112) in [−1, 1]: blocks of colour with noise."""
    generator = torch.Generator().manual_seed(1)
    blocks = torch.rand(4, 3, 14, 14, generator=generator).repeat_interleave(8, 2)
    blocks = blocks.repeat_interleave(8, 3)
    noise = torch.rand(4, 3, 112, 112, generator=generator)
    return torch.split(1.4 * blocks + 0.6 * noise - 1.0, 2)


def channels_last(tensor: torch.Tensor) -> np.ndarray:
    return tensor.permute(0, 2, 3, 1).numpy()


def rgb(tensor: torch.Tensor) -> np.ndarray:
    """Return what a preset takes, of BGR images as the published weights take them."""
    return channels_last(tensor)[..., ::-1]


@pytest.mark.slow
def test_xcos_agrees_with_pytorch(twin, converted, images):
    with torch.no_grad():
        similarity, weight, score = (x.numpy() for x in twin(*images))
    network = load_preset(converted / "xcos").network
    grids = [network.features(rgb(batch)) for batch in images]
    ours = network.comparisons["learned"](grids)
    # Maps that hardly vary would agree whatever the conversion did.
    assert similarity.std() > 0.05
    assert weight.std() > 0.01
    for name, theirs in (
        ("similarity_map", similarity),
        ("attention_map", weight),
        ("xcos", score),
    ):
        assert ours[name].shape == theirs.shape
        np.testing.assert_allclose(ours[name], theirs, rtol=0, atol=TOLERANCE, err_msg=name)
    patched = network.comparisons["patched"](grids)["xcos"]
    np.testing.assert_allclose(patched, similarity.mean(axis=(1, 2)), rtol=0, atol=TOLERANCE)


@pytest.mark.slow
def test_teacher_embedding_agrees_with_pytorch(twin, converted, images):
    with torch.no_grad():
        theirs = twin.backbone_target.embedding(images[0]).numpy()
    ours = load_preset(converted / "teacher").network(rgb(images[0])).numpy()
    assert np.abs(theirs[0] - theirs[1]).max() > 0.1
    norms = np.linalg.norm(theirs, axis=1, keepdims=True)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(
        ours / np.linalg.norm(ours, axis=1, keepdims=True), theirs / norms, rtol=0, atol=1e-5
    )


@pytest.mark.slow
def test_margin_head_agrees_with_pytorch(twin, converted):
    kernel = load_file(converted / "margin.safetensors")["kernel"]
    grid = torch.randn(3, 32, 7, 7, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        theirs = twin.head(grid.flatten(1)).numpy()
    flat = channels_last(grid).reshape(3, -1)
    ours = flat @ kernel.T / np.linalg.norm(flat, axis=1)[:, None] / np.linalg.norm(kernel, axis=1)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.slow
def test_presets_say_where_they_come_from(converted):
    config = json.loads((converted / "xcos" / "config.json").read_text(encoding="utf-8"))
    assert config["name"] == "xcos"
    assert config["licence"] == "MIT"
    assert config["provenance"].startswith("xcos.pth (SHA-256 ")
    assert config["model"]["backbone"] == {"kind": "ir", "depth": 50, "squeeze_excitation": True}


@pytest.mark.slow
def test_plain_variant_is_the_same_recogniser(twin, converted):
    state = {key: value.numpy() for key, value in twin.backbone_target.state_dict().items()}
    plain = convert_state_dict(state)
    assert plain.teacher is None
    for prefix in ("module.", "backbone.", "module.backbone."):
        other = convert_state_dict({prefix + key: value for key, value in state.items()})
        assert (
            other.teacher is None and other.network.model.described == plain.network.model.described
        )
        assert other.network.arrays.keys() == plain.network.arrays.keys()
        for path, array in plain.network.arrays.items():
            np.testing.assert_array_equal(other.network.arrays[path], array)
    expected = load_file(converted / "teacher" / "weights.safetensors")
    for colours, turn in (("bgr", slice(None)), ("rgb", slice(None, None, -1))):
        arrays = read_arrays(build_converted(plain.network, colours))
        assert set(arrays) == set(expected)
        first = "backbone/input_conv/kernel"
        np.testing.assert_array_equal(arrays.pop(first), expected[first][:, :, turn])
        for path, array in arrays.items():
            np.testing.assert_array_equal(array, expected[path])


def test_bfloat16_is_read(tmp_path):
    torch.save({"a": torch.tensor([0.5, -2.0], dtype=torch.bfloat16)}, tmp_path / "half.pth")
    np.testing.assert_array_equal(read_state_dict(tmp_path / "half.pth")["a"], [0.5, -2.0])


def hollow_state(model_class, **options) -> dict:
    """A state_dict with the right keys and shapes that takes no room."""
    with torch.device("meta"):
        model = model_class(**options)
    return {k: torch.zeros(()).expand(v.shape) for k, v in model.state_dict().items()}


def refusal(tmp_path, capsys, saved, *options) -> str:
    path = tmp_path / "checkpoint.pth"
    if isinstance(saved, bytes):
        path.write_bytes(saved)
    elif saved is not None:
        torch.save(saved, path)
    assert main(["convert", str(path), str(tmp_path / "out"), *map(str, options)]) == 2
    assert {p.name for p in tmp_path.iterdir()} <= {"checkpoint.pth"}
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("xcos convert: error: ")
    return captured.err


@pytest.mark.parametrize(
    ("saved", "sentence"),
    [
        (None, "there is no file"),
        (b"", "not a PyTorch file of tensors alone"),
        (b"hello", "not a PyTorch file of tensors alone"),
        (torch.nn.Linear(2, 2), "not a PyTorch file of tensors alone"),
        (torch.zeros(3), "holds no state_dict"),
        ({}, "holds no state_dict"),
        ({"state_dict": {"weight": 3}}, "holds no state_dict"),
        ({"fc.weight": torch.zeros(2, 2)}, "has no keys like backbone.body.0.res_layer.1.weight"),
    ],
)
def test_what_is_no_checkpoint_is_refused(tmp_path, capsys, saved, sentence):
    assert sentence in refusal(tmp_path, capsys, saved)


def test_keys_that_do_not_fit_are_named(tmp_path, capsys):
    state = hollow_state(XCos)
    del state["attention.attention.3.bias"]
    state["attention.attention.6.weight"] = torch.zeros(1)
    state["backbone_target.output_layer.3.weight"] = torch.zeros(512, 512)
    sentence = refusal(tmp_path, capsys, state)
    assert "missing: attention.attention.3.bias" in sentence
    assert "unexpected: attention.attention.6.weight" in sentence
    assert (
        "misshapen: backbone_target.output_layer.3.weight is (512, 512) instead of (512, 25088)"
        in sentence
    )


def test_a_part_that_is_not_there_cannot_be_asked_for(tmp_path, capsys):
    state = hollow_state(Backbone, grid=False)
    teacher, margin = tmp_path / "teacher", tmp_path / "margin"
    assert "holds no teacher" in refusal(tmp_path, capsys, state, "--teacher", teacher)
    assert "holds no head.kernel" in refusal(tmp_path, capsys, state, "--margin-head", margin)
