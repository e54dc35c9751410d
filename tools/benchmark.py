"""Measure what the documents claim of speed and memory, each side by side in one run.

    python tools/benchmark.py [verify] [--photos LFW]
    python tools/benchmark.py runtime [--before CHECKOUT] [--photos LFW] [--set LFW_ALIGNED PAIRS]
        [--train CONFIG PREPARED] [--authors SRC] [--deepface PYTHON]
    python tools/benchmark.py detection [--photos LFW]
    python tools/benchmark.py input PREPARED_SET [...]
    python tools/benchmark.py all-pairs FACES
    python tools/benchmark.py partial-fc
    python tools/benchmark.py prepare-memory

`verify` also times galleries and alignment; `runtime` times commands beside another checkout's,
LiteRT beside Keras and, with --authors, PyTorch, and us beside DeepFace; `detection` compares our
faces with the package `mtcnn`'s, of sample photos in several sizes and of a folder's photos;
`input` times the training input against bare decoding; `partial-fc` a softmax over all people and
over a sample. Ways that are compared take turns, so that what else the machine does hits all alike.
"""

import argparse
import io
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib import import_module
from itertools import cycle, zip_longest
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
from PIL import Image

if __name__ in ("__main__", "__mp_main__"):  # the latter in fresh processes
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
from tools.results import ended
from xcos_tf.data.photo import read_photo
from xcos_tf.data.records.recordio import MAGIC
from xcos_tf.errors import XcosError
from xcos_tf.models.preset_folder import DEFAULT_PRESET
from xcos_tf.templates import Gallery
from xcos_tf.verifier import Verifier

ROOT = Path(__file__).resolve().parents[1]
GALLERY = 10_000
PHOTOS, PHOTO_SIDE, PHOTO_BATCH = 96, 250, 16
# Left, top and side of a square of a sample photo that shows the face as LFW does.
SQUARES = {"obama": (250, 0, 520), "obama2": (20, 150, 600), "biden": (270, 80, 620)}
STAGES, PASSED = ("pnet", "rnet", "onet"), (0.6, 0.7, 0.8)
SIDES = (64, 90, 128, 180, 250, 360, 500, 720, 1000, 1280)  # in which samples are searched
NEAR = 0.5  # pixels
LANDMARKS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
PEOPLE, FACES, PAIRS = 32, 4, 512  # of a batch of the training input
SHARE, FC_BATCH = 0.1, 64  # of the people in a sample, and faces of a step
RECORD_PEOPLE, RECORD_SIDE = 10, 112
MEMORY_UNIT = 1 if sys.platform == "darwin" else 1024


def timed(work: Callable, *args, **options) -> tuple[object, float, float]:
    """Return what it returns, the seconds it took, and those of them that this process computed."""
    start, start_of_process = time.perf_counter(), time.process_time()
    result = work(*args, **options)
    return result, time.perf_counter() - start, time.process_time() - start_of_process


def seconds_in_turns(
    functions: Sequence[Callable[[], object]], rounds: int, warm_up: int = 1
) -> np.ndarray:
    """Return the seconds of each call, (rounds, functions), after some that are not timed."""
    seconds = np.empty((warm_up + rounds, len(functions)))
    for row in seconds:
        for i, function in enumerate(functions):
            _, row[i], _ = timed(function)
    return seconds[warm_up:]


def interleaved_medians(functions: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """Return the median seconds of each function."""
    return np.median(seconds_in_turns(functions, rounds), axis=0).tolist()


def verify(args) -> None:
    """Print what one pair, many pairs and alignment take."""
    if args.photos:
        photos = [read_photo(path) for path in some_photos(args.photos, PHOTOS)]
        if {photo.shape for photo in photos} != {(PHOTO_SIDE, PHOTO_SIDE, 3)}:
            raise XcosError(
                f"{args.photos} does not hold 250×250 .jpg photos; give LFW's folder, or none"
            )
    else:
        photos = sample_photos(PHOTOS)
    plain, xcos = verification_ratio(args.rounds)
    print(f"verification of an aligned pair: plain cosine {plain * 1e3:.2f} ms, xCos", end=" ")
    print(f"{xcos * 1e3:.2f} ms, ratio {xcos / plain:.3f}")
    verifier, random = Verifier.from_preset(DEFAULT_PRESET), np.random.default_rng(0)
    gallery, probe = (Gallery(random.normal(size=(size, 7, 7, 32))) for size in (GALLERY, 1))
    names = ("patched", "correlated")
    ways = [partial(verifier.compare, probe, gallery, name) for name in names]
    for name, seconds in zip(names, interleaved_medians(ways, args.rounds), strict=True):
        print(f"one template against {GALLERY:,}, {name}: {seconds * 1e3:.1f} ms")
    one_by_one, batched = alignment_rates(photos)
    print(f"{len(photos)} photos of {PHOTO_SIDE}×{PHOTO_SIDE}, faces per second:")
    print(f"  one by one           {one_by_one:6.1f}")
    print(f"  batches of {PHOTO_BATCH:<4}      {batched:6.1f}")
    print(f"  ratio                {batched / max(one_by_one, 1e-9):6.2f}")


def verification_ratio(rounds: int) -> tuple[float, float]:
    """Return the seconds of a plain and of an explained verification of one aligned pair."""
    faces = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3)).astype(np.uint8)
    plain = Verifier.from_preset("mobilefacenet")

    def cosine():
        embeddings = plain.embed(faces)
        return plain.compare(Gallery(embeddings[:1]), Gallery(embeddings[1:]))

    return tuple(interleaved_medians([cosine, pair_by("auto", faces)], rounds))


def runtime(args) -> None:
    """Print what LiteRT takes, beside Keras, beside PyTorch and beside another checkout."""
    if args.deepface and not args.photos:
        raise XcosError("--deepface has no people to search; give a folder by --photos too")
    # First, as the peak of a child begins with its parent's memory.
    photos = [str(ROOT / f"tests/photos/{name}.jpg") for name in ("obama", "obama2")]
    commands = {"verify, two photos, cold": (["verify", *photos], 5)}
    if args.photos:
        commands["align"] = (["align", str(args.photos.resolve()), "OUT"], 2)
    if args.set:
        commands["evaluate"] = (["evaluate", *(str(x.resolve()) for x in args.set), "--aligned"], 1)
    if args.train:
        config, data = (str(x.resolve()) for x in args.train)
        commands["train"] = (["train", config, "--data", data, "--out", "OUT"], 3)
    for name, (words, rounds) in commands.items():
        checkouts = [ROOT, *([args.before.resolve()] if args.before else [])]
        runs = np.array([[command(x, words) for x in checkouts] for _ in range(rounds)])
        seconds, processor, memory = np.median(runs, axis=0).T
        for i in range(len(checkouts)):
            figures = f"{seconds[i]:.2f} s, {processor[i]:.2f} s of CPU, {memory[i]:.0f} MiB"
            print(f"{name}, {('here', 'before')[i]}: {figures}")
        if args.before:
            ratio, of_cpu = seconds[0] / seconds[1], processor[0] / processor[1]
            print(f"{name}, here / before: {ratio:.2f}, {of_cpu:.2f} of the CPU", flush=True)
    faces = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3), np.uint8)
    lite, keras = (pair_by(name, faces) for name in ("litert", "tensorflow"))
    bare = pair_by("litert", faces, "mobilefacenet")
    for name, other in (("Keras", keras), ("two faces through the bare backbone", bare)):
        ours, theirs = interleaved_medians([lite, other], args.rounds)
        print(f"an explained aligned pair by LiteRT: {ours * 1e3:.1f} ms, {name}", end=" ")
        print(f"{theirs * 1e3:.1f} ms, ratio {ours / theirs:.3f}", flush=True)
    if args.authors:
        names, ways = zip(*ir_se_50(args.authors, faces).items(), strict=True)
        seconds = interleaved_medians(ways, max(5, args.rounds // 20))
        parts = (f"{name} {x * 1e3:.0f} ms" for name, x in zip(names, seconds, strict=True))
        print(f"two faces through IR-SE-50: {', '.join(parts)}, ratio LiteRT / PyTorch", end=" ")
        print(f"{seconds[0] / seconds[-1]:.3f}", flush=True)
    if args.deepface:
        from tools.beside_deepface import beside_deepface

        beside_deepface(args.deepface, args.photos)


def pair_by(name: str, faces: np.ndarray, preset: str = DEFAULT_PRESET) -> Callable:
    """Return what takes two aligned faces through a preset, and explains them if it can."""
    verifier = Verifier.from_preset(preset, runtime=name)

    def run():
        features = verifier.embed(faces)
        return verifier.explain_pairs(features[:1], features[1:]) if verifier.explains else None

    return run


def ir_se_50(authors: Path, faces: np.ndarray) -> dict[str, Callable]:
    """Return what takes faces through IR-SE-50 to a grid by LiteRT, by Keras and by PyTorch.

    `authors` is the folder `src` of their repository. All weights are random, and LiteRT has as
    many threads as PyTorch.
    """
    import torch

    from xcos_tf.export.tflite.convert import convert
    from xcos_tf.models.builder import build_network
    from xcos_tf.models.presets import Preset
    from xcos_tf.runtime.keras import KerasRuntime
    from xcos_tf.runtime.lite_model import SIGNATURE, interpreter_class

    package = sys.modules["authors"] = ModuleType("authors")
    package.__path__ = [str(authors / "model")]  # whose own `__init__` imports far more
    theirs = import_module("authors.face_recog").Backbone_FC2Conv(50, 0.6, "ir_se").eval()
    network = build_network({"backbone": {"kind": "ir", "depth": 50}, "xcos": {}})
    images = torch.tensor((faces.transpose(0, 3, 1, 2) - 127.5) / 128, dtype=torch.float32)

    def by_pytorch():
        with torch.no_grad():
            return theirs(images)

    preset = Preset({}, network)
    content = convert(preset, "embed", "float32", len(faces))
    lite = interpreter_class()(model_content=content, num_threads=torch.get_num_threads())
    ways = {"LiteRT": partial(lite.get_signature_runner(SIGNATURE), image=faces)}
    return {**ways, "Keras": partial(KerasRuntime(preset).embed, faces), "PyTorch": by_pytorch}


def command(checkout: Path, words: list[str]) -> tuple[float, float, float]:
    """Run `xcos` of a checkout in a fresh process; return seconds, of CPU too, and MiB."""
    program = "import sys; from xcos_tf.cli.main import main; sys.exit(main())"
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "PYTHONPATH": str(checkout)}
        words = [word.replace("OUT", f"{folder}/out") for word in words]
        start = time.perf_counter()
        # By its own figures: those of all children so far would hide a peak.
        with open(f"{folder}/said", "w") as said:
            options = {"cwd": folder, "env": env, "stdout": said, "stderr": said}
            child = subprocess.Popen([sys.executable, "-c", program, *words], **options)
            _, status, used = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in (0, 1):
            sys.exit(f"{checkout}: {Path(f'{folder}/said').read_text()[-500:]}")
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * MEMORY_UNIT / 2**20


def alignment_rates(photos: Sequence[np.ndarray], size: int = PHOTO_BATCH) -> tuple[float, float]:
    """Return aligned faces a second, by `mtcnn` and a warp one by one, and by batches of a size."""
    from mtcnn import MTCNN

    from xcos_tf.data.aligner import FaceAligner
    from xcos_tf.data.alignment import warp_face

    single, aligner = MTCNN(), FaceAligner(batch_size=size)

    def one_by_one(batch):
        found = [(photo, faces[0]) for photo in batch if (faces := single.detect_faces(photo))]
        return len([warp_face(x, [face["keypoints"][n] for n in LANDMARKS]) for x, face in found])

    def batched(batch):
        return sum(face is not None for face in aligner.align(batch))

    ways, totals = (one_by_one, batched), np.zeros((2, 2))
    for way in ways:
        way(photos[:size])
        way(photos[: size - 1])  # another count, for which TensorFlow may trace once more
    for start in range(0, len(photos), size):
        for total, way in zip(totals, ways, strict=True):
            total += timed(way, photos[start : start + size])[:2]
    return tuple((totals[:, 0] / totals[:, 1]).tolist())


def detection(args) -> None:
    """Print how far our faces are from those that `mtcnn` finds in the same photos."""
    from xcos_tf.data.cascade import Cascade
    from xcos_tf.data.detection import MAX_DETECTION_SIDE

    paths = [ROOT / f"tests/photos/{name}.jpg" for name in SQUARES for _ in SIDES]
    sides = [*SIDES] * len(SQUARES)
    if args.photos:
        paths += some_photos(args.photos, args.count)
    ours, package, counted, apart = Cascade(), package_by_log_odds(), 0, []
    for path, side in zip_longest(paths, sides, fillvalue=MAX_DETECTION_SIDE):
        image = Image.fromarray(read_photo(path))
        image.thumbnail((side, side))
        photo = np.asarray(image)
        faces, expected = ours.find(photo), package(photo)
        counted += len(faces)
        same = len(faces) == len(expected)
        apart.append(np.abs(faces - expected).max(initial=0.0) if same else np.inf)
    apart = np.array(apart)
    print(f"{len(apart)} photos, {counted} faces; as many in {np.isfinite(apart).sum()} photos")
    print(f"boxes and landmarks within {NEAR} pixels in {(apart <= NEAR).sum()}, ", end="")
    print(f"at most {apart.max():.3f} pixels apart")


def package_by_log_odds() -> Callable[[np.ndarray], np.ndarray]:
    """Return `mtcnn`, as a function from a photo to faces (F, 15) as `Cascade.find` gives them.

    It compares windows by log odds, as softmax gives many exactly 1.
    """
    from mtcnn import MTCNN

    detector = MTCNN()
    for stage, name in zip(detector.stages, ("conv4_2", "fc5_2", "fc6_3"), strict=True):
        getattr(stage.model, name).activation = lambda logits: logits - logits[..., :1]
    limits = {f"threshold_{x}": np.log(p / (1 - p)) for x, p in zip(STAGES, PASSED, strict=True)}

    def find(photo):
        options = {"box_format": "xyxy", "output_type": "numpy", **limits}
        faces = detector.detect_faces(photo.astype(np.float32), **options)
        faces = np.asarray(faces).reshape(-1, 16)[:, 1:]
        faces[:, 4] = 1 / (1 + np.exp(-faces[:, 4]))
        return faces

    return find


def sample_photos(count: int) -> list[np.ndarray]:
    """Return 250×250 photos, uint8, cut around the faces of tests/photos, each a little else."""
    photos = []
    for i, (name, (left, top, side)) in zip(range(count), cycle(SQUARES.items()), strict=False):
        left, top = left + i % 7 - 3, top + i % 5
        with Image.open(ROOT / f"tests/photos/{name}.jpg") as image:
            square = image.crop((left, top, left + side, top + side))
        photos.append(np.asarray(square.resize((PHOTO_SIDE,) * 2, Image.Resampling.BOX)))
    return photos


def some_photos(folder: Path, count: int) -> list[Path]:
    """Return so many of a folder tree's JPEGs, evenly spread."""
    paths = sorted(folder.rglob("*.jpg"))
    return paths[:: max(1, len(paths) // count)][:count]


def training_input(args) -> None:
    """Print images a second of the training input, and of a loop that only decodes."""
    import tensorflow as tf

    from xcos_tf.data.face_set import join_sets
    from xcos_tf.data.records.reader import PreparedSet
    from xcos_tf.data.sampling import GroupSampler
    from xcos_tf.data.training_input import Augmentation, decode_face, training_dataset

    sets = [PreparedSet(folder) for folder in args.sets]
    faces = join_sets(sets)
    if len(faces.people) < PEOPLE:
        raise XcosError(f"the sets have {len(faces.people)} people; give {PEOPLE} or more")
    sampler = GroupSampler(faces.labels, PEOPLE, FACES, PAIRS, 0.25)
    shards = [str(path) for x in sets for path in sorted(x.folder.glob("*.tfrecord"))]
    features = {"image": tf.io.FixedLenFeature([], tf.string)}

    def decode(record):
        return decode_face(tf.io.parse_single_example(record, features)["image"], 112)

    def changing(*shares):
        return training_dataset(faces, sampler, Augmentation(*shares), 0, 2**31, range(1), 112)

    bare = tf.data.TFRecordDataset(shards).repeat().map(decode, tf.data.AUTOTUNE, True)
    bare = bare.batch(PEOPLE * FACES).prefetch(tf.data.AUTOTUNE)
    datasets = {
        "decoding alone": bare,
        "training input: mirrored, normalised": changing(),
        "training input: every change to half of the faces": changing(0.5, 0.5, 0.5, 0.5),
    }

    def rate(dataset) -> float:
        iterator = iter(dataset.take(3 + args.batches))
        for _ in range(3):
            next(iterator)
        count, seconds, _ = timed(lambda: sum(1 for _ in iterator))
        return PEOPLE * FACES * count / seconds

    rates = np.array([[rate(x) for x in datasets.values()] for _ in range(args.rounds)])
    print("images per second, median (lowest to highest), ratio to decoding alone:")
    ratios = np.median(rates / rates[:, :1], axis=0)
    for label, of_way, ratio in zip(datasets, rates.T, ratios, strict=True):
        spread = f"({of_way.min():.0f} to {of_way.max():.0f})"
        print(f"  {label:<50} {np.median(of_way):7.0f} {spread:<16} {ratio:5.2f}")


def all_pairs(args) -> None:
    """Print what all pairs of a set take from stored templates, in a fresh process each."""
    with tempfile.TemporaryDirectory() as temporary:
        templates = args.templates or Path(temporary) / "templates.safetensors"
        seconds = in_fresh_process(keep_templates, args.faces, templates)
        print(f"templates: {seconds:.1f} s", flush=True)
        for score in args.scores:
            print(in_fresh_process(compare_all_pairs, templates, score), flush=True)


def in_fresh_process(function, *arguments):
    """Return what a function returns in a process of its own, whose peak memory is all its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def keep_templates(faces: Path, templates: Path) -> float:
    """Make the templates unless they are there; return the seconds it took."""
    from xcos_tf.evaluation.templates import make_templates

    return timed(lambda: make_templates(Verifier.from_preset(), faces, templates))[1]


def compare_all_pairs(templates: Path, score: str) -> str:
    """Compare all with all; return what it takes, in words."""
    from xcos_tf.evaluation.all_pairs import compare_all
    from xcos_tf.evaluation.matcher import Matcher
    from xcos_tf.evaluation.templates import open_templates

    matcher, store = Matcher(DEFAULT_PRESET), open_templates(templates)
    # So that what is built once for all comparisons is built.
    matcher.score_all(store.read(0, 2), store.read(0, 2), score)
    found, seconds, cpu_seconds = timed(compare_all, store, matcher, score)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MEMORY_UNIT
    pairs = found.genuine_pairs + found.impostor_pairs
    return (
        f"{score}: {pairs:,} pairs in {seconds:.1f} s ({cpu_seconds:.1f} s of processors), "
        f"{pairs / seconds:,.0f} pairs/s, peak memory {memory / 2**20:.0f} MiB"
    )


def partial_fc(args) -> None:
    """Print what a step of the margin head takes: itself, its gradient and SGD with momentum."""
    import tensorflow as tf
    from tensorflow import keras

    from xcos_tf.models.margins import ArcFaceHead
    from xcos_tf.training.model import Part, Trainer

    def step(people, dimension, sample):
        embedding = keras.Input((dimension,))
        features = keras.Model(embedding, keras.layers.Activation("linear")(embedding))
        head = ArcFaceHead(people)
        head.build((None, dimension))
        network = SimpleNamespace(features=features, comparisons={})
        trainer = Trainer(network, head, {"identification": 1.0}, sample=sample)
        trainer.compile([Part(head, keras.optimizers.SGD(0.01, momentum=0.9), l2=4e-4)])
        return tf.function(trainer.make_step)

    random = tf.random.Generator.from_seed(1)
    print(f"{'people':>9} {'numbers':>7} {'all, ms':>9} {'sample, ms':>10} {'ratio':>6}")
    for people, dimension in (map(int, size.split("x")) for size in args.sizes):
        data = {
            "input": random.normal((1, FC_BATCH, dimension)),
            "label": random.uniform((1, FC_BATCH), maxval=people, dtype=tf.int32),
        }
        steps = [step(people, dimension, sample) for sample in (None, round(SHARE * people))]
        ways = [lambda step=step: float(step(data)["total"]) for step in steps]  # noqa: B023
        full, sampled = interleaved_medians(ways, args.rounds)
        times = f"{1000 * full:9.1f} {1000 * sampled:10.1f} {full / sampled:6.1f}"
        print(f"{people:9,} {dimension:7,} {times}", flush=True)


def prepare_memory(args) -> None:
    """Print the peak memory of `xcos prepare` by the size of an MXNet record file."""
    for images in (RECORD_PEOPLE, *args.images):
        with tempfile.TemporaryDirectory() as folder:
            size = write_records(Path(folder, "set"), images) / 1e6
            words = ["prepare", f"{folder}/set", "OUT", "--jobs", str(args.jobs)]
            seconds, _, memory = command(ROOT, words)
        memory *= 2**20 / 1e6
        if images == RECORD_PEOPLE:
            idle = memory
            print(f"nothing to do: {idle:.0f} MB")
            print("  images   input MB   peak MB   above   seconds   images/s")
            continue
        row = f"{images:8d} {size:10.0f} {memory:9.0f} {memory - idle:7.0f} {seconds:9.1f}"
        print(f"{row} {images / seconds:10.0f}", flush=True)


def write_records(folder: Path, images: int) -> int:
    """Write `train.rec`, `train.idx` and `property` with so many faces; return their bytes."""
    jpegs, random = [], np.random.default_rng(0)
    while len(jpegs) < 64:
        pixels = Image.fromarray(random.integers(0, 256, (28, 28, 3), dtype=np.uint8))
        stream = io.BytesIO()
        pixels.resize((RECORD_SIDE, RECORD_SIDE)).save(stream, "JPEG", quality=95)
        # The magic word would part a record.
        jpegs += [stream.getvalue()] * (MAGIC not in stream.getvalue())
    folder.mkdir()
    with open(folder / "train.rec", "wb") as records, open(folder / "train.idx", "w") as index:
        for key in range(images):
            # MXNet's IRHeader: flag, label, key, 0.
            header = struct.pack("<IfQQ", 0, key * RECORD_PEOPLE // images, key, 0)
            data = header + jpegs[key % 64]
            index.write(f"{key}\t{records.tell()}\n")
            records.write(MAGIC + struct.pack("<I", len(data)) + data)
            records.write(bytes(-len(data) % 4))
        size = records.tell()
    (folder / "property").write_text(f"{RECORD_PEOPLE},{RECORD_SIDE},{RECORD_SIDE}\n")
    return size


def main(argv: list[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    text = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="benchmark", description=__doc__, formatter_class=text)
    commands = parser.add_subparsers(required=True)

    def add(name: str, run: Callable, **defaults) -> argparse.ArgumentParser:
        """Add a command with options of numbers."""
        command = commands.add_parser(name, help=run.__doc__)
        command.set_defaults(run=run)
        for option, value in defaults.items():
            command.add_argument(f"--{option}", type=int, default=value, help=f"default: {value}")
        return command

    add("verify", verify, rounds=50).add_argument("--photos", type=Path, help="such as LFW")
    command = add("runtime", runtime, rounds=200)
    command.add_argument("--before", type=Path, help="checkout to compare commands with")
    command.add_argument("--photos", type=Path, help="folder for `xcos align`, such as LFW")
    two = {"nargs": 2, "type": Path}
    command.add_argument("--set", **two, metavar=("FACES", "PAIRS"), help="for `xcos evaluate`")
    command.add_argument("--train", **two, metavar=("CONFIG", "DATA"), help="for `xcos train`")
    command.add_argument("--authors", type=Path, help="`src` of the authors' repository")
    words = "of an environment with DeepFace, see beside_deepface.py; needs --photos"
    command.add_argument("--deepface", metavar="PYTHON", help=words)
    command = add("detection", detection, count=500)
    words = "folder, such as LFW, of which COUNT are taken"
    command.add_argument("--photos", type=Path, help=words)
    command = add("input", training_input, rounds=5, batches=60)
    command.add_argument("sets", nargs="+", type=Path, help="folders that `xcos prepare` made")
    command = add("all-pairs", all_pairs)
    command.add_argument("faces", type=Path, help="as `xcos align` leaves them")
    command.add_argument("--templates", type=Path, help="file that keeps them for the next time")
    command.add_argument("--scores", nargs="+", default=["patched", "correlated"])
    sizes = ["85000x1568", "1000000x128"]  # of a million with 1,568, two kernels take 12.5 GB
    command = add("partial-fc", partial_fc, rounds=10)
    command.add_argument("--sizes", nargs="+", default=sizes, help="people x dimension")
    command = add("prepare-memory", prepare_memory, jobs=os.cpu_count())
    command.add_argument("--images", type=int, nargs="+", default=[20_000, 40_000, 80_000])
    if not {*argv[:1]} & {*commands.choices, "-h", "--help"}:
        argv = ["verify", *argv]
    return ended(parser, lambda args: args.run(args), argv)


if __name__ == "__main__":
    sys.exit(main())
