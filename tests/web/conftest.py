"""The service on a real socket, with a store of two people; and a browser."""

import threading
import time
from contextlib import contextmanager

import pytest
from playwright.sync_api import sync_playwright

from xcos_tf import FaceStore
from xcos_tf.web.app import create_app
from xcos_tf.web.server import listen
from xcos_tf.web.site import LITERT_FILES


@contextmanager
def running(app):
    """Run an app in this process, and give its address."""
    import uvicorn

    opened = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]})
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{opened.getsockname()[1]}"
    server.should_exit = True
    thread.join(30)
    opened.close()


@pytest.fixture(scope="session")
def service(photos, tmp_path_factory):
    """The address of a service with a store, which has no LiteRT.js to offer."""
    folder = tmp_path_factory.mktemp("web") / "store"
    with FaceStore.open(folder, create=True) as store:
        for person in ("obama", "biden"):
            store.enroll(person, photos / f"{person}.jpg")
        app = create_app(store.verifier, store, litert=folder.parent / "none", largest=2**21)
        with running(app) as address:
            yield address


@pytest.fixture(scope="module")
def browser(chrome):
    camera = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chrome, args=["--no-sandbox", *camera])
        yield opened
        opened.close()


@pytest.fixture
def no_litert(tmp_path):
    """A folder like npm's, with empty files."""
    for name in LITERT_FILES:
        (tmp_path / "npm" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "npm" / name).touch()
    return tmp_path / "npm"
