"""Uvicorn with an app, at a socket that is open already."""

import contextlib
import ctypes
import socket
import threading
import webbrowser

import uvicorn

_EVERY = 5  # seconds
_M_ARENA_MAX, _HEAPS = -8, 2


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Args:
        host: name or address.
        port: 0 for any that is free.

    Raises:
        OSError: it cannot be had.
    """
    [(family, *_, address), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind(address)
        opened.listen(128)
    except BaseException:
        opened.close()
        raise
    return opened


def serve(app, opened: socket.socket, page: str | None = None) -> None:
    """Serve until SIGINT or SIGTERM; requests that have begun are answered first.

    Args:
        app: of `create_app`.
        opened: of `listen`.
        page: address to open in a browser.
    """
    config = uvicorn.Config(
        app, log_level="warning", timeout_graceful_shutdown=10, timeout_keep_alive=10
    )
    if page is not None:
        threading.Timer(0.5, webbrowser.open, [page]).start()
    ended = threading.Event()
    threading.Thread(target=_give_memory_back, args=(ended,)).start()
    try:
        uvicorn.Server(config).run(sockets=[opened])
    finally:
        ended.set()


def _give_memory_back(ended: threading.Event) -> None:
    """Give freed memory back to the machine, every few seconds.

    Each photo is some megabytes. The C library would keep what is freed in up to eight heaps for
    each core, and ever more of it between what is in use.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):  # it is not glibc
        library = ctypes.CDLL(None)
        library.mallopt(_M_ARENA_MAX, _HEAPS)
        while not ended.wait(_EVERY):
            library.malloc_trim(0)
