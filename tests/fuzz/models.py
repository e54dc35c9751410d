"""Presets and all that lies beside them, and models that are converted or exported."""

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from unittest import mock

import flatbuffers
import numpy as np
from safetensors.numpy import save
from tensorflow import keras
from tensorflow.lite.python import schema_py_generated as schema

from tests.fuzz.engine import Reader, Trial
from tests.fuzz.mutate import mutate_bytes, mutate_json, mutate_text, mutate_tree, odd_array
from tests.models.test_presets import CONFIG, MODEL
from xcos_tf.errors import XcosError
from xcos_tf.export.compression.shipped import load_compressed, save_compressed
from xcos_tf.export.models_config import add_version, read_models
from xcos_tf.export.tflite.thresholds import MeasuredThresholds, variant_thresholds
from xcos_tf.models.builder import build_network
from xcos_tf.models.conversion import read_mobilefacenet
from xcos_tf.models.preset_folder import BUNDLED, lite_folder, whatif_file
from xcos_tf.models.preset_threshold import preset_threshold
from xcos_tf.models.presets import load_preset, read_config, save_preset
from xcos_tf.models.weights import named_weights, parse_arrays
from xcos_tf.runtime.model_file import NAME, ModelFile
from xcos_tf.runtime.whatif import load_whatif, score_drops
from xcos_tf.search.thresholds import search_threshold
from xcos_tf.verifier import Verifier


def odd_safetensors(
    arrays: Mapping[str, np.ndarray], random, metadata: dict[str, str] | None = None
) -> bytes:
    """Return a file whose arrays, header or bytes are odd."""
    arrays, kind = dict(arrays), random.random()
    if kind < 0.4:
        for _ in range(int(random.integers(1, 3))):
            name = sorted(arrays)[random.integers(len(arrays))]
            changed = np.ascontiguousarray(odd_array(arrays[name], random))
            if changed.dtype.str[1:] in ("i1", "u1", "i4", "i8", "u8", "f2", "f4", "f8", "b1"):
                arrays[name] = changed.astype(changed.dtype.newbyteorder("="))
        return save(arrays, metadata)
    content = save(arrays, metadata)
    if kind < 0.8:
        end = 8 + struct.unpack_from("<Q", content)[0]
        header = json.loads(content[8:end])
        header = json.dumps(mutate_tree(header, random)).encode()
        return struct.pack("<Q", len(header)) + header + content[end:]
    return mutate_bytes(content, random)


def _check_config(config: dict) -> None:
    for score, rates in config["thresholds"].items():
        for rate in rates:
            assert np.isfinite(preset_threshold(config, score, float(rate)))
    for threshold in (
        lambda: preset_threshold(config, "learned", 1e-3),
        lambda: search_threshold(config, "learned", 100),
    ):
        try:
            assert np.isfinite(threshold())
        except XcosError as error:
            assert len(str(error)) < 600


def _configs(folder: Path) -> Trial:
    seeds = [
        json.loads((BUNDLED / name / "config.json").read_text())
        for name in ("xcos-mobilefacenet-2", "mobilefacenet")
    ]
    seeds.append(
        {"format": 1, **CONFIG, "weights": {"file": "weights.safetensors", "sha256": "0" * 64}}
    )

    def read(content):
        (folder / "config.json").write_bytes(content)
        _check_config(read_config(folder))

    return Trial(lambda random: mutate_json(seeds[random.integers(len(seeds))], random), read)


def _presets(folder: Path) -> Trial:
    """Whole presets, whose weights have the right SHA-256."""
    save_preset(folder / "tiny", CONFIG, build_network(MODEL))
    config = json.loads((folder / "tiny/config.json").read_text())
    weights = (folder / "tiny/weights.safetensors").read_bytes()
    arrays = parse_arrays(weights, "weights")
    faces = np.zeros((1, 32, 32, 3), np.uint8)

    def draw(random):
        if random.random() < 0.5:
            content = odd_safetensors(arrays, random)
            right = {"file": "weights.safetensors", "sha256": hashlib.sha256(content).hexdigest()}
            return json.dumps({**config, "weights": right}).encode(), content
        model = mutate_tree(config["model"], random)
        return json.dumps({**config, "model": model}).encode(), weights

    def read(files):
        for name, content in zip(("config.json", "weights.safetensors"), files, strict=True):
            (folder / "tiny" / name).write_bytes(content)
        preset = load_preset(folder / "tiny")
        _check_config(preset.config)
        verifier = Verifier(preset)
        shape = preset.network.features.input_shape[1:]
        feature = verifier.embed(faces if shape == (32, 32, 3) else np.zeros((1, *shape), np.uint8))
        assert np.isfinite(verifier.compare_pairs(feature, feature)).all()

    return Trial(draw, read)


def _weights(folder: Path) -> Trial:
    random = np.random.default_rng(3)
    kinds = ("f4", "f2", "i1", "f4")
    arrays = {
        f"part/{i}": random.normal(size=(3, i + 1)).astype(kind) for i, kind in enumerate(kinds)
    }

    def read(content):
        for array in parse_arrays(content, "weights").values():
            assert array.dtype.kind not in "fc" or np.isfinite(array).all()

    return Trial(lambda random: odd_safetensors(arrays, random, {"a": "b"}), read)


def _thresholds(folder: Path) -> Trial:
    seed = json.loads((BUNDLED / "xcos-mobilefacenet-2/tflite-thresholds.json").read_text())
    config = json.loads((BUNDLED / "xcos-mobilefacenet-2/config.json").read_text())

    def read(content):
        path = folder / "tflite-thresholds.json"
        path.write_bytes(content)
        found = MeasuredThresholds.read(path)
        assert isinstance(found.about, tuple)
        for variant in ("int8", "float16"):
            thresholds = variant_thresholds(folder, config, "learned", variant)
            assert all(np.isfinite(x) for x in thresholds["thresholds"].values())
            assert isinstance(thresholds["thresholds_measured"], str)
        found.write(path)

    return Trial(lambda random: mutate_json(seed, random), read)


def _compressed(folder: Path) -> Trial:
    random = np.random.default_rng(3)
    arrays = {"stem/kernel": random.normal(size=(3, 3, 3, 4)), "stem/bias": np.zeros(4)}
    config = {"name": "tiny", "weights": {"sha256": "0" * 64}}
    for variant, ranges in (("pruned", {}), ("qat", {"stem/range": np.array([-1, 1])})):
        save_compressed(folder, variant, arrays | ranges, {"preset_sha256": "0" * 64})
    place = folder / "compressed"
    record = json.loads((place / "record.json").read_text())
    whole = {x: (place / f"{x}.safetensors").read_bytes() for x in record}

    def draw(random):
        variant = ("pruned", "qat")[random.integers(2)]
        if random.random() < 0.6:
            return variant, mutate_json(record, random), whole[variant]
        content = odd_safetensors(parse_arrays(whole[variant], "file"), random)
        right = {**record[variant], "sha256": hashlib.sha256(content).hexdigest()}
        return variant, json.dumps({**record, variant: right}).encode(), content

    def read(given):
        variant, told, content = given
        (place / "record.json").write_bytes(told)
        (place / f"{variant}.safetensors").write_bytes(content)
        network = load_compressed(folder, config, variant)
        for array in (*network.weights.values(), *network.ranges.values()):
            assert array.dtype == np.float32 and np.isfinite(array).all(), array.dtype

    return Trial(draw, read)


def _zipped(model: bytes, description: bytes, random) -> bytes:
    stream = io.BytesIO(model)
    with zipfile.ZipFile(stream, "a") as archive:
        kind = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)[random.integers(2)]
        archive.writestr(zipfile.ZipInfo(NAME), description, kind)
    return stream.getvalue()


def _lite(folder: Path) -> Trial:
    model = b"\x1c\0\0\0TFL3" + np.random.default_rng(4).bytes(500)
    right = {
        "format": 1,
        "model": "embed",
        "variant": "float32",
        "batch": None,
        "preset": "xcos-mobilefacenet-2",
        "preset_sha256": "0" * 64,
        "inputs": [{"name": "image", "shape": [None, 112, 112, 3], "dtype": "uint8"}],
        "outputs": [{"name": "grid", "shape": [None, 7, 7, 32], "dtype": "float32"}],
        "attention": "learned",
        "thresholds": {"0.001": 0.2, "0.01": 0.1},
        "thresholds_measured": "on people",
        "model_sha256": hashlib.sha256(model).hexdigest(),
    }

    def draw(random):
        if random.random() < 0.7:
            return _zipped(model, mutate_json(right, random), random)
        return mutate_bytes(_zipped(model, json.dumps(right).encode(), random), random)

    def read(content):
        path = folder / "embed.float32.tflite"
        path.write_bytes(content)
        metadata = ModelFile.read(path, "embed").metadata
        config = {"name": metadata["preset"], "thresholds": {"learned": metadata["thresholds"]}}
        _check_config(config)

    return Trial(draw, read)


def _whatif(folder: Path) -> Trial:
    """Models of covered cells, whose SHA-256 is right where the model is another."""
    preset = BUNDLED / "xcos-mobilefacenet-2"
    files = [whatif_file(preset), *sorted(lite_folder(preset).glob("*.tflite"))]
    models, abouts = [], []
    for path in files:
        content = path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            entry = archive.getinfo(NAME)
            abouts.append(json.loads(archive.read(entry)))
            models.append(content[: entry.header_offset])
    config = read_config(preset)
    runtime = Verifier.from_preset("xcos-mobilefacenet-2", runtime="litert").runtime
    grids = np.random.default_rng(4).normal(size=(2, 1, 7, 7, 32)).astype(np.float32)
    whole = files[0].read_bytes()

    def draw(random):
        kind = random.random()
        if kind < 0.3:
            return mutate_bytes(whole, random, models)
        which = 0 if kind < 0.8 else int(random.integers(len(models)))
        about = {**abouts[0], "model_sha256": abouts[which]["model_sha256"]}
        return _zipped(models[which], mutate_json(about, random), random)

    def read(content):
        whatif_file(folder).write_bytes(content)
        model = load_whatif(folder, config, runtime.feature_shape)
        for drops in score_drops(runtime, model, "learned", *grids):
            assert drops.shape == (1, 7, 7) and np.isfinite(drops).all()

    return Trial(draw, read)


def _published(folder: Path) -> Trial:
    """MobileFaceNet.tflite, as for a small network, so that most of it is structure."""
    layers = [keras.Input((8, 8, 3))]
    for layer in (keras.layers.Conv2D(4, 3), keras.layers.DepthwiseConv2D(3)):
        layers += [layer, keras.layers.PReLU(shared_axes=[1, 2])]
    network = keras.Sequential(layers)
    right = tflite_of(network)
    path = folder / "MobileFaceNet.tflite"

    def read(content):
        path.write_bytes(content)
        with mock.patch("xcos_tf.models.conversion.build_network", lambda _: network):
            read_mobilefacenet(path)

    return Trial(lambda random: mutate_bytes(right, random), read)


def tflite_of(network) -> bytes:
    """Return a TFLite model with a network's layers, as `read_mobilefacenet` looks for them."""
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.buffers, graph.tensors, graph.operators = [], [], []
    kinds = ("CONV_2D", "DEPTHWISE_CONV_2D", "MUL")
    model.operatorCodes, model.subgraphs = [], [graph]
    for kind in kinds:
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, kind)
        model.operatorCodes.append(code)

    def add(kind, *arrays):
        operator = schema.OperatorT()
        operator.opcodeIndex, operator.inputs = kinds.index(kind), []
        for array in arrays:
            operator.inputs.append(len(graph.tensors))
            tensor, buffer = schema.TensorT(), schema.BufferT()
            tensor.shape, tensor.buffer = list(array.shape), len(model.buffers)
            buffer.data = np.frombuffer(array.astype(np.float32).tobytes(), np.uint8)
            graph.tensors.append(tensor)
            model.buffers.append(buffer)
        graph.operators.append(operator)

    arrays = [np.asarray(weight) for weight in named_weights(network).values()]
    while arrays:
        first = arrays.pop(0)
        if first.ndim == 4:
            add("CONV_2D", first.transpose(3, 0, 1, 2), arrays.pop(0))
        else:
            add("MUL", first / 2)
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _models_config(folder: Path) -> Trial:
    for version in (1, 3):
        (folder / "xcos" / str(version)).mkdir(parents=True)
        add_version(folder, "xcos", version)
    text = (folder / "models.config").read_text()

    def read(content):
        (folder / "models.config").write_bytes(content)
        add_version(folder, "xcos", 3)
        assert any(x.name == "xcos" for x in read_models(folder).model_config_list.config)

    return Trial(lambda random: mutate_text(text, random), read)


READERS = (
    Reader("presets' config.json", _configs, 1.5),
    Reader("presets with their weights", _presets, 0.1),
    Reader("weights in safetensors", _weights, 1.5),
    Reader("thresholds of TFLite variants", _thresholds),
    Reader("compressed weights", _compressed),
    Reader("TFLite files' descriptions", _lite, 1.5),
    Reader("models of covered cells", _whatif, 0.2),
    Reader("MobileFaceNet.tflite", _published),
    Reader("models.config", _models_config, 0.3),
)
