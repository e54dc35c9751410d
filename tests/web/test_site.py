"""The folder of `xcos demo --static`: what is in it, and what a browser computes from it."""

import base64
import functools
import http.server
import itertools
import json
import threading
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image, ImageFilter
from playwright.sync_api import expect

from tests.web.conftest import running
from xcos_tf import Verifier
from xcos_tf.cli.main import main
from xcos_tf.data.aligner import FaceAligner
from xcos_tf.data.alignment import TEMPLATE_LANDMARKS, warp_face
from xcos_tf.data.cascade import Network
from xcos_tf.data.photo import read_photo
from xcos_tf.explain.regions import region_map
from xcos_tf.mobile.decision import frame_scores, needed_frames
from xcos_tf.mobile.frames import face_problems, photo_problems
from xcos_tf.mobile.hints import hint_of
from xcos_tf.models.preset_folder import find_preset
from xcos_tf.web.app import create_app
from xcos_tf.web.site import LITERT, LITERT_FILES

ROOT = Path(__file__).resolve().parents[2]
NPM = ROOT / "node_modules/@litertjs"


def test_the_folder_has_the_page_the_models_and_litert(tmp_path, no_litert, capsys):
    out, preset = tmp_path / "site", find_preset("xcos-mobilefacenet-2")
    assert main(["demo", "--static", str(out), "--litert", str(no_litert)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    written = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    models = ["pnet", "rnet", "onet", "embed", "compare", "whatif"]
    models = {f"models/{x}.tflite" for x in models}
    page = {"index.html", "presets", "static/page.js", "static/page.css", "static/on-device.js"}
    assert written >= models | page | {f"litert/{x}" for x in LITERT_FILES}
    shipped = preset / "lite/embed.float32.batch.tflite"
    assert (out / "models/embed.tflite").read_bytes() == shipped.read_bytes()
    facts, verifier = json.loads((out / "presets").read_text()), Verifier.from_preset()
    assert facts["on_device"] and not facts["store"] and facts["attention"] == "learned"
    for attention in ("patched", "correlated"):
        fixed = facts["fixed_attentions"][attention]
        np.testing.assert_array_equal(fixed, verifier.fixed_weights(attention))


def test_bad_input_is_one_sentence(tmp_path, no_litert, capsys):
    out = tmp_path / "site"
    litert = ["--litert", str(no_litert)]
    for words, sentence in {
        ("--litert", str(tmp_path / "none")): "run `npm install @litertjs/core@",
        ("--preset", "mobilefacenet", *litert): "has no maps to show; use an xCos preset",
        ("--store", "x", *litert): "--static has nobody to search; leave --store out",
    }.items():
        assert main(["demo", "--static", str(out), *words]) == 2
        assert sentence in capsys.readouterr().err
        assert not out.exists()


class Host(http.server.SimpleHTTPRequestHandler):
    """A static host, which also answers bytes by bytes where a test says how."""

    answers: ClassVar = {}

    def do_POST(self):
        answer = self.answers[self.path](self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def host():
    """Serves a folder, and returns its address."""
    servers = []

    def serve(folder, answers=()):
        handler = functools.partial(type("", (Host,), {"answers": dict(answers)}), directory=folder)
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,)).start()
        return f"http://127.0.0.1:{servers[-1].server_address[1]}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def scripts(browser, host):
    """A function that runs a script with a photo; `await ask(name, bytes)` calls an answer."""
    page = browser.new_page()

    def run(script, photo, argument=None, **answers):
        rgba = np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])
        answers = {f"/{x}": answer for x, answer in answers.items()}
        answers["/photo"] = lambda body: rgba.tobytes()
        page.goto(host(ROOT / "xcos_tf/web/static", answers) + "/page.css")
        height, width = photo.shape[:2]
        return page.evaluate(
            f"""async (argument) => {{
            const ask = async (name, body) =>
                (await fetch(name, {{method: "POST", body}})).arrayBuffer();
            const data = new Uint8ClampedArray(await ask("photo", ""));
            const photo = {{width: {width}, height: {height}, data}};
            {script} }}""",
            argument,
        )

    yield run
    page.close()


def kept_of(scripts, script, photo, argument=None):
    """Return the bytes that a script keeps; through the browser's debugger they would be slow."""
    kept = []
    scripts(script, photo, argument, keep=lambda body: kept.append(body) or b"")
    return np.frombuffer(kept[0], np.uint8)


def test_a_face_is_warped_as_in_python(scripts, random):
    photo = random.integers(0, 256, (60, 70, 3), np.uint8)
    for side in (9, 30, 80):  # the last is averaged down, and reaches beyond the photo
        landmarks = random.uniform(0, side, (5, 2))
        script = 'await ask("keep", (await import("/photo.js")).warpFace(photo, argument))'
        kept = kept_of(scripts, script, photo, landmarks.tolist())
        difference = kept.reshape(112, 112, 3) - warp_face(photo, landmarks).astype(int)
        assert np.abs(difference).max() <= 1 and (difference != 0).mean() < 1e-3


def test_a_photo_is_made_smaller_as_in_python(scripts, random):
    for height, width in ((60, 70), (70, 30)):
        photo = random.integers(0, 256, (height, width, 3), np.uint8)
        script = 'await ask("keep", (await import("/photo.js")).resize(photo, 21, 23).data)'
        small = kept_of(scripts, script, photo).reshape(23, 21, 4)[:, :, :3]
        expected = Image.fromarray(photo).resize((21, 23), Image.Resampling.BILINEAR)
        difference = small - np.asarray(expected).astype(int)
        assert np.abs(difference).max() <= 1 and (difference != 0).mean() < 0.02


def test_a_frame_is_checked_as_in_python(scripts, random):
    face = read_photo(ROOT / "xcos_tf/export/tflite/representative/obama.png")
    noise = random.integers(0, 256, face.shape, np.uint8)
    flat = np.full_like(face, 240) + (noise // 100)
    blurred = np.asarray(Image.fromarray(face).filter(ImageFilter.GaussianBlur(4)))
    for image in (face, noise, face // 8, flat, blurred):
        script = """const rgb = photo.data.filter((_, i) => i % 4 < 3);
            return (await import("/owner.js")).faceProblems(rgb);"""
        assert scripts(script, image) == face_problems(image)
    places = [(TEMPLATE_LANDMARKS + random.normal(0, 4, (5, 2))) * 0.7 for _ in range(20)]
    script = """const image = photo.data.filter((_, i) => i % 4 < 3);
        const { problemsOf } = await import("/owner.js");
        return argument.map((landmarks, i) => problemsOf({landmarks, found: 1 + i % 2, image}));"""
    faults = scripts(script, face, [x.tolist() for x in places])
    assert faults == [photo_problems(x, 1 + i % 2) for i, x in enumerate(places)]
    assert {len(x) for x in faults} == {0, 1, 2}


def test_a_hint_is_that_of_python(scripts, random):
    parts = region_map(7, 7).tolist()
    usual = random.uniform(0.5, 1, (7, 7))
    cases = [usual - random.uniform(0, 0.1, (7, 7)) for _ in range(8)]
    for case, where in zip(cases[1:], np.ndindex(2, 4), strict=False):
        case[where[0] * 4 : where[0] * 4 + 3, where[1] : where[1] + 4] -= 0.9
    script = """const { hintOf } = await import("/owner.js");
        return argument.cases.map((map) => hintOf(map, argument.usual, argument.parts));"""
    given = {"cases": [x.tolist() for x in cases], "usual": usual.tolist(), "parts": parts}
    hints = scripts(script, np.zeros((1, 1, 3), np.uint8), given)
    for hint, case in zip(hints, cases, strict=True):
        assert hint == hint_of(case, usual).replace(" with other photos", "")


def test_a_try_is_decided_as_in_python(scripts, random):
    """By scores alone: a grid stands for its place in a table of scores."""
    scores = random.uniform(0, 1, (3, 3))
    script = """const { judge } = await import("/owner.js");
        const compare = async (a, b) => ({score: argument[a][b], similarity_map: [[0]]});
        const owner = {grids: [0, 1, 2], usual: [[0]]};
        return judge(owner, [0, 1, 2], compare, {threshold: 0.6, near: 2}, [["x"]]);"""
    found = scripts(script, np.zeros((1, 1, 3), np.uint8), scores.tolist())
    expected = frame_scores(scores)
    np.testing.assert_allclose(found["scores"], expected)
    assert found["unlocked"] == ((expected >= 0.6).sum() >= needed_frames(3))
    assert found["hint"] == ""


def answering(name, side):
    """Return one of MTCNN's networks as a function of bytes."""
    run = Network(name)
    shape = (-1, side, side, 3)
    return lambda body: run(np.frombuffer(body, np.float32).reshape(shape)).tobytes()


@pytest.mark.parametrize("turn", [0, 1])
def test_a_face_is_found_where_python_finds_it(scripts, turn):
    photo = read_photo(ROOT / "xcos_tf/web/static/obama2.jpg")[40:240]
    photo = np.ascontiguousarray(np.rot90(photo, turn))
    [expected] = FaceAligner().align([photo])
    networks = {x: answering(x, side) for x, side in (("pnet", 75), ("rnet", 24), ("onet", 48))}
    script = """
        const by = (name) => async (values) => new Float32Array(await ask(name, values));
        const networks = {pnet: by("pnet"), rnet: by("rnet"), onet: by("onet")};
        return (await import("/detector.js")).findFace(networks, photo);"""
    found = scripts(script, photo, **networks)
    np.testing.assert_allclose(found["landmarks"], expected.face.landmarks, atol=0.01)
    np.testing.assert_allclose(found["box"], expected.face.box, atol=0.01)
    assert found["confidence"] == pytest.approx(expected.face.confidence, abs=1e-5)
    assert (found["found"], found["turned"]) == (expected.faces_found, expected.turned)


@pytest.fixture(scope="module")
def site(tmp_path_factory, host):
    """The address of a folder with the page and LiteRT.js."""
    if not NPM.is_dir():
        pytest.skip(f"LiteRT.js is not here; run `npm install --no-save @litertjs/core@{LITERT}`")
    out = tmp_path_factory.mktemp("site")
    assert main(["demo", "--static", str(out), "--litert", str(NPM)]) == 0
    return host(out)


def test_a_browser_that_cannot_compute_says_so_and_sends_nothing(
    browser, host, tmp_path, no_litert, photos
):
    assert main(["demo", "--static", str(tmp_path / "site"), "--litert", str(no_litert)]) == 0
    page, sent = browser.new_page(), []
    page.on("request", lambda request: sent.append(request.method))
    page.goto(host(tmp_path / "site"))
    for name in "ab":
        page.locator(f"[data-photo={name}] input").set_input_files(photos / "obama.jpg")
    expect(page.locator("#message.error")).to_contain_text("this browser cannot compute it")
    assert set(sent) == {"GET"}
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 360])
def test_the_page_computes_what_python_does(browser, site, photos, width):
    page, asked = browser.new_page(viewport={"width": width, "height": 900}), []
    page.on("request", lambda sent: asked.append(sent.url))
    page.goto(site)
    expect(page.locator("#privacy")).to_contain_text("Photos do not leave this device.")
    page.get_by_role("button", name="the same person").click()  # before the models are there
    expect(page.locator("#verdict")).to_contain_text("Same person: 0.77", timeout=60_000)
    before = len(asked)
    for second in ("obama2.jpg", "biden.jpg"):
        expected = Verifier.from_preset().verify(photos / "obama.jpg", photos / second)
        for name, photo in {"a": "obama.jpg", "b": second}.items():
            page.locator(f"[data-photo={name}] input").set_input_files(photos / photo)
        expect(page.locator("#sentence")).to_have_text(expected.sentence, timeout=60_000)
        score = f"{expected.score:.3f}".replace("-", "−")
        expect(page.locator("#verdict")).to_contain_text(f": {score[:-1]}")
        page.locator('[data-face="0"] [data-cell="3,2"]').hover()
        expect(page.locator("#cell")).to_contain_text("covered, the score drops by")
    assert all(url.startswith("blob:") for url in asked[before:])
    assert all(url.startswith((site, "blob:", "data:")) for url in asked)
    page.locator("[data-photo=b] input").set_input_files(ROOT / "README.md")
    wrong = "the second photo is not an image"  # said when the first is computed
    expect(page.locator("#message.error")).to_contain_text(wrong, timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 360])
def test_the_page_of_the_service_computes_too(browser, site, width):
    page, sent = browser.new_page(viewport={"width": width, "height": 900}), []
    page.on("request", lambda request: sent.append(request.method))
    with running(create_app(Verifier.from_preset(), litert=NPM)) as address:
        page.goto(address + "/?on-device")
        expect(page.locator("#privacy")).to_contain_text("Photos do not leave this device.")
        page.get_by_role("button", name="the same person").click()
        expect(page.locator("#verdict")).to_contain_text("Same person: 0.77", timeout=60_000)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.get_by_role("link", name="Unlock by your face").click()
        expect(page.locator("#message")).to_contain_text("Look at the camera", timeout=60_000)
        assert set(sent) == {"GET"}
        page.close()


@pytest.mark.slow
def test_numbers_are_those_of_python_and_how_long_it_takes(browser, site, photos):
    """Run with `-s` for the times: seconds of a processor, whatever else the machine does."""
    page = browser.new_page()
    debugger = page.context.new_cdp_session(page)
    debugger.send("Performance.enable")

    def seconds() -> float:
        metrics = debugger.send("Performance.getMetrics")["metrics"]
        return next(x["value"] for x in metrics if x["name"] == "ProcessTime")

    def timed(script, argument=None):
        before = seconds()
        return page.evaluate(script, argument), seconds() - before

    page.goto(site + "/static/page.css")
    _, start = timed(
        """async () => {
        const map = {imports: {"@litertjs/wasm-utils": "/litert/wasm-utils/dist/index.js"}};
        const script = Object.assign(document.createElement("script"), {type: "importmap"});
        document.head.append(Object.assign(script, {textContent: JSON.stringify(map)}));
        const facts = JSON.parse(await (await (await fetch("/presets")).blob()).text());
        window.device = await (await import("/static/on-device.js")).load(facts); }"""
    )
    names = ("obama.jpg", "obama2.jpg", "biden.jpg")
    for name in names:
        content = base64.b64encode((photos / name).read_bytes()).decode()
        page.evaluate(
            "async ([name, x]) => { window[name] = await (await fetch(x)).blob(); }",
            [name, f"data:image/jpeg;base64,{content}"],
        )
    for pair in itertools.combinations(names, 2):
        found, of_pair = timed("([a, b]) => device.verify(window[a], window[b])", pair)
        expected = Verifier.from_preset().verify(*(photos / name for name in pair))
        assert found["score"] == pytest.approx(expected.score, abs=1e-3)
        assert found["same"] == expected.same and found["threshold"] == expected.threshold
        assert found["sentence"] == expected.sentence
        # A pixel that is rounded otherwise may change a cell more than the sum.
        np.testing.assert_allclose(found["similarity_map"], expected.similarity_map, atol=0.01)
        np.testing.assert_allclose(found["attention_map"], expected.attention_map, atol=1e-3)
        np.testing.assert_allclose(found["drops"], expected.drops, atol=1e-3)
        for face, template in zip(
            found["faces"], (expected.template_a, expected.template_b), strict=True
        ):
            place = template.box_and_landmarks
            np.testing.assert_allclose(face["box"], place["box"], atol=0.1)
            np.testing.assert_allclose(face["landmarks"], place["landmarks"], atol=0.1)
    _, of_frames = timed(
        """async () => {
        const photo = await createImageBitmap(window["obama.jpg"]);
        const frame = new OffscreenCanvas(640, 480);
        frame.getContext("2d").drawImage(photo, 128, 0, 384, 480);
        for (let i = 0; i < 10; i++) {
            await device.enroll(await createImageBitmap(frame), "the frame");
        } }"""
    )
    page.close()
    print(
        f"\nto load {start:.1f} s; a pair of photos {of_pair:.1f} s; "
        f"{10 / of_frames:.1f} frames of 640×480 a second"
    )


@pytest.mark.slow
def test_the_owner_unlocks_and_another_does_not(browser, site, photos):
    page, errors = browser.new_page(viewport={"width": 360, "height": 900}), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    # A camera that shows a photo, which is put before it.
    page.add_init_script(
        """const scene = Object.assign(document.createElement("canvas"), {width: 640, height: 480});
        window.put = async (address) => {
            const photo = await createImageBitmap(await (await fetch(address)).blob());
            const width = photo.width * 480 / photo.height;
            const draw = scene.getContext("2d");
            draw.clearRect(0, 0, 640, 480);
            draw.drawImage(photo, 320 - width, -100, 2 * width, 960);
        };
        setInterval(() => scene.getContext("2d").fillRect(0, 0, 1, 1), 50);
        navigator.mediaDevices.getUserMedia = async () => scene.captureStream(20);"""
    )
    page.goto(site + "/unlock.html")
    message = page.locator("#message")
    expect(message).to_contain_text("Look at the camera", timeout=30_000)
    page.locator("#enroll").click()
    expect(message).to_contain_text("no face was found in the frame", timeout=60_000)
    for photo, button, told in (
        ("obama.jpg", "#enroll", "Enrolled 3 frames. Now try."),
        ("obama2.jpg", "#attempt", "Unlocked: 3 of 3 frames match."),
        ("biden.jpg", "#attempt", "Locked: 0 of 3 frames match."),
    ):
        page.evaluate("(name) => put(`static/${name}`)", photo)
        page.locator(button).click()
        expect(message).to_have_text(told, timeout=90_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert not errors
    page.close()
