"""The HTTP service: photos in, explained verdicts out."""

import asyncio
import base64
import binascii
import hmac
import logging
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from xcos_tf import __version__
from xcos_tf.data.photo import read_photo
from xcos_tf.errors import NoFaceError, XcosError, extra, shown
from xcos_tf.models.preset_threshold import DEFAULT_FMR
from xcos_tf.search.store import FaceStore
from xcos_tf.verifier import Verifier
from xcos_tf.web.answers import (
    every_attention,
    face_answer,
    hit_answer,
    preset_answer,
    verification_answer,
)
from xcos_tf.web.site import NPM, STATIC, models_and_litert, page_files

with extra("serve", "the HTTP service"):
    import anyio
    from fastapi import Depends, FastAPI, File, Form, Header, Request, UploadFile
    from fastapi.concurrency import run_in_threadpool
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
    from fastapi.staticfiles import StaticFiles
    from prometheus_client import (
        CONTENT_TYPE_LATEST,
        CollectorRegistry,
        Counter,
        Histogram,
        generate_latest,
    )
    from pydantic import BaseModel, Field
    from starlette.exceptions import HTTPException

log = logging.getLogger(__name__)


class Pair(BaseModel):
    """Two photos, encoded and in base64, and how to decide."""

    a: str
    b: str
    attention: str | None = None
    fmr: float = DEFAULT_FMR
    threshold: float | None = Field(None, allow_inf_nan=False)


def create_app(
    verifier: Verifier,
    store: FaceStore | None = None,
    key: str | None = None,
    litert: Path = NPM,
    largest: int = 24 * 2**20,
    at_once: int = 2,
    patience: float = 30.0,
) -> FastAPI:
    """Return the service.

    Args:
        verifier: that computes.
        store: of people, for `/find` and `/enroll`; opened to be written if people may be enrolled.
        key: that requests must have in the header `X-API-Key`; None for none.
        litert: the folder `@litertjs` that npm made, for `/?on-device`.
        largest: bytes of a request.
        at_once: requests that are computed at the same time; others wait.
        patience: seconds that a request may wait and be computed.
    """
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of odd requests
    app = FastAPI(title="xcos", version=__version__, description="Explainable face verification.")
    registry = CollectorRegistry()
    count = Counter("xcos_requests", "Requests", ["route", "status"], registry=registry)
    seconds = Histogram("xcos_request_seconds", "Seconds a request", ["route"], registry=registry)
    turns = asyncio.Semaphore(at_once)

    def check_key(x_api_key: Annotated[str | None, Header()] = None) -> None:
        if key is not None and not hmac.compare_digest((x_api_key or "").encode(), key.encode()):
            raise HTTPException(401, "the header X-API-Key is missing or wrong; give the key")

    async def compute(work: Callable[[], dict]) -> dict:
        try:
            with anyio.fail_after(patience):
                async with turns:
                    return await run_in_threadpool(work)
        except TimeoutError:
            raise HTTPException(503, "the service is busy; try again later") from None

    @app.middleware("http")
    async def watch(request: Request, call_next):
        start = time.monotonic()
        length = request.headers.get("content-length", "")
        known = {"/verify", "/find", "/enroll", "/presets", "/healthz", "/metrics", "/"}
        route = request.url.path if request.url.path in known else "other"
        if request.method == "POST" and not length.isdigit():
            response = JSONResponse({"error": "say how long the body is (Content-Length)"}, 411)
        elif length.isdigit() and int(length) > largest:
            words = f"the request is larger than {largest:,} bytes; send smaller photos"
            response = JSONResponse({"error": words}, 413)
        else:
            response = await call_next(request)
        took = time.monotonic() - start
        count.labels(route, response.status_code).inc()
        seconds.labels(route).observe(took)
        log.info(
            '{"method": "%s", "route": "%s", "status": %d, "seconds": %.3f}',
            *(request.method, route, response.status_code, took),
        )
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.exception_handler(XcosError)
    async def refuse(request: Request, error: XcosError):
        answer = {"error": str(error)}
        if isinstance(error, NoFaceError):
            answer["no_face"] = True
        return JSONResponse(answer, 422)

    @app.exception_handler(HTTPException)
    async def refuse_request(request: Request, error: HTTPException):
        return JSONResponse({"error": error.detail}, error.status_code)

    @app.exception_handler(RequestValidationError)
    async def refuse_fields(request: Request, error: RequestValidationError):
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"][1:])) or "the body"
        words = f"{shown(field)}: {shown(first['msg'])}; see /docs"
        return JSONResponse({"error": words}, 422)

    @app.get("/healthz")
    def health() -> dict:
        return {"status": "ok", "version": __version__}

    @app.get("/metrics")
    def metrics():
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/presets", dependencies=[Depends(check_key)])
    def presets() -> dict:
        return preset_answer(verifier, store is not None)

    def verify(a, b, attention, fmr, threshold) -> dict:
        result = verifier.verify(a, b, attention or None, fmr, threshold)
        return {
            **verification_answer(result),
            "faces": [face_answer(x) for x in (result.template_a, result.template_b)],
            "attentions": every_attention(verifier, result),
        }

    @app.post("/verify", dependencies=[Depends(check_key)])
    async def verify_files(
        a: Annotated[UploadFile, File()],
        b: Annotated[UploadFile, File()],
        attention: Annotated[str | None, Form()] = None,
        fmr: Annotated[float, Form()] = DEFAULT_FMR,
        threshold: Annotated[float | None, Form(allow_inf_nan=False)] = None,
    ) -> dict:
        photos = await a.read(), await b.read()
        return await compute(lambda: verify(*_named(*photos), attention, fmr, threshold))

    @app.post("/verify/json", dependencies=[Depends(check_key)])
    async def verify_json(pair: Pair) -> dict:
        photos = _decoded(pair.a, "a"), _decoded(pair.b, "b")
        options = pair.attention, pair.fmr, pair.threshold
        return await compute(lambda: verify(*_named(*photos), *options))

    if store is not None:
        _add_search(app, store, compute, check_key)

    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.get("/", include_in_schema=False)
    def page(request: Request):
        if "on-device" in request.query_params:
            return RedirectResponse("on-device/")
        return FileResponse(STATIC / "index.html")

    @lru_cache
    def needed() -> tuple[dict, dict[str, Path]]:
        if verifier.runtime.preset is None:
            raise XcosError("exported files cannot be sent to the page; serve a preset")
        return models_and_litert(verifier.runtime.preset, litert)

    @app.get("/on-device/{name:path}", include_in_schema=False, dependencies=[Depends(check_key)])
    def on_device(name: str):
        """Serve what `xcos demo --static` writes; the page says what `presets` lacks."""
        if name == "presets":
            return needed()[0]
        path = page_files().get(name or "index.html") or needed()[1].get(name)
        if path is None:
            raise HTTPException(404, f"there is no {shown(name)}; see /docs")
        return FileResponse(path)

    return app


def _add_search(app: FastAPI, store: FaceStore, compute, check_key) -> None:
    lock = threading.Lock()  # a store is for one thread at a time

    @app.post("/find", dependencies=[Depends(check_key)])
    async def find(
        photo: Annotated[UploadFile, File()],
        top: Annotated[int, Form(ge=1, le=50)] = 5,
        threshold: Annotated[float | None, Form(allow_inf_nan=False)] = None,
    ) -> dict:
        content = await photo.read()

        def work():
            probe = store.verifier.enroll(read_photo(content, "the photo"))
            with lock:
                hits = store.find(probe, top, threshold=threshold)
            return {
                "found": any(hits),
                "face": face_answer(probe),
                "hits": [hit_answer(hit) for hit in hits],
            }

        return await compute(work)

    @app.post("/enroll", dependencies=[Depends(check_key)])
    async def enroll(
        person: Annotated[str, Form()],
        photo: Annotated[UploadFile, File()],
        name: Annotated[str | None, Form()] = None,
    ) -> dict:
        content = await photo.read()
        known_as = name or photo.filename or "photo"

        def work():
            template = store.verifier.enroll(read_photo(content, "the photo"))
            with lock:
                return {"new": store.enroll(person, template, known_as)}

        return await compute(work)

    @app.delete("/people/{person:path}", dependencies=[Depends(check_key)])
    async def forget(person: str) -> dict:
        def work():
            with lock:
                return {"faces": store.forget(person)}

        return await compute(work)


def _named(a: bytes, b: bytes):
    """Return the pixels of two photos; an error says which of them it is about."""
    return read_photo(a, "the first photo"), read_photo(b, "the second photo")


def _decoded(text: str, name: str) -> bytes:
    try:
        return base64.b64decode(
            text.partition(",")[2] if text.startswith("data:") else text, validate=True
        )
    except (binascii.Error, ValueError):
        raise XcosError(f"`{name}` is not base64; give an encoded photo") from None
