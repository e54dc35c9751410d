"""Servers that are down, late, slow, busy or too small, and clients that say so in time."""

import socket
import threading
import time

import pytest

from tests.serving.stand_in import StandIn, fails
from xcos_tf.errors import QUOTED, XcosError
from xcos_tf.serving.client import ServingClient
from xcos_tf.serving.errors import _SENTENCES, Call, DeadlineExceeded, ServerUnavailable

PATIENCE = 3  # seconds by which a busy machine may be late, under what a fault would cost


def free_port():
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return listener.getsockname()[1]


def address(kind, port):
    return f"localhost:{port}" if kind == "grpc" else f"http://localhost:{port}"


@pytest.mark.parametrize("code", sorted({*_SENTENCES, "INTERNAL"} - {"UNREACHABLE", "NO_TLS"}))
def test_of_a_server_s_own_words_a_hundred_letters_are_quoted(code):
    said = "c " * 400
    sentence = str(Call("localhost", "a", 1).error(code, said))
    assert said[:40] in sentence or "{said}" not in _SENTENCES.get(code, "{said}")
    assert said[: QUOTED + 1] not in sentence


def test_server_down(kind, faces):
    place = address(kind, free_port())
    start = time.monotonic()
    with ServingClient(place) as client, pytest.raises(ServerUnavailable) as fault:
        client.verify(*faces)
    assert time.monotonic() - start < 1.5 + PATIENCE  # 4 pauses of at most 1.5 s together
    assert f"the server at {place} cannot be reached" in str(fault.value)
    assert "refused" in str(fault.value)


def test_unknown_host(kind):
    place = "nonesuch.invalid" if kind == "grpc" else "http://nonesuch.invalid"
    with (
        ServingClient(place, attempts=1) as client,
        pytest.raises(ServerUnavailable, match=r"nonesuch\.invalid.* cannot be reached"),
    ):
        client.status()


def test_a_server_that_comes_up_later(kind, servables, faces):
    port = free_port()
    started = []

    def start():
        started.append(StandIn(servables, kind, port))

    timer = threading.Timer(1.0, start)
    timer.start()
    try:
        with ServingClient(address(kind, port), attempts=50, timeout=60) as client:
            assert client.verify(*faces).same[0]
    finally:
        timer.join()
        started[0].stop()


def test_a_server_that_restarts_between_calls(kind, servables, faces):
    with StandIn(servables, kind) as server:
        client = ServingClient(server.address, attempts=50, timeout=60)
        client.verify(*faces)
    with pytest.raises(ServerUnavailable):
        client.status(timeout=0.3)
    with StandIn(servables, kind, server.port), client:
        assert client.verify(*faces).same[0]


def test_busy_at_first(server, client, faces):
    server.troubles = [fails("UNAVAILABLE", "the queue is full")] * 3
    assert client.verify(*faces).same[0]
    assert server.calls == 4


def test_busy_all_the_time(server, faces):
    server.troubles = [fails("UNAVAILABLE", "the queue is full")] * 9
    with (
        ServingClient(server.address, attempts=3) as client,
        pytest.raises(ServerUnavailable, match=r"cannot answer now \(the queue is full\)"),
    ):
        client.verify(*faces)
    assert server.calls == 3


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "INTERNAL", "RESOURCE_EXHAUSTED"])
def test_not_tried_again(server, client, faces, code):
    server.troubles = [fails(code, "no\nway")]
    with pytest.raises(XcosError, match=r"\(.*no way\)") as fault:
        client.verify(*faces)
    assert not isinstance(fault.value, ServerUnavailable)
    assert server.calls == 1


def test_too_slow(server, client):
    release = threading.Event()
    server.troubles = [lambda: release.wait(9)]
    start = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"did not answer within 0\.5 s"):
        client.status(timeout=0.5)
    assert 0.45 < time.monotonic() - start < PATIENCE
    assert server.calls == 1
    release.set()


def test_attempts_share_the_time(server):
    def slow_and_busy():
        time.sleep(0.2)
        fails("UNAVAILABLE")()

    server.troubles = [slow_and_busy] * 99
    start = time.monotonic()
    with (
        ServingClient(server.address, attempts=99) as client,
        pytest.raises((DeadlineExceeded, ServerUnavailable)),
    ):
        client.status(timeout=1.5)
    assert time.monotonic() - start < 1.5 + PATIENCE
    assert 2 <= server.calls <= 7


def answering(content, pause=0.0, keep=0.0):
    """Return the port of a server of one connection that sends bytes, whatever it is sent."""
    listener = socket.create_server(("localhost", 0))

    def serve():
        connection, _ = listener.accept()
        with listener, connection:
            connection.recv(1 << 16)
            for i in range(len(content)):
                try:
                    connection.sendall(content[i : i + 1] if pause else content)
                except OSError:
                    return
                if not pause:
                    break
                time.sleep(pause)
            time.sleep(keep)

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


@pytest.mark.parametrize("content", [HEAD % 99 + b" " * 99, HEAD % 99], ids=["body", "head"])
def test_rest_time_is_up_although_bytes_arrive(content):
    with ServingClient(f"http://localhost:{answering(content, pause=0.1)}") as client:
        start = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            client.status(timeout=0.5)
        assert time.monotonic() - start < PATIENCE


def test_rest_body_that_does_not_come():
    with ServingClient(f"http://localhost:{answering(HEAD % 99, keep=9)}") as client:
        start = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            client.status(timeout=0.5)
        assert time.monotonic() - start < PATIENCE


ODD_ANSWERS = {
    "text": HEAD % 2 + b"hi",
    "no versions": HEAD % 2 + b"{}",
    "a page": b"HTTP/1.1 404 Not Found\r\nContent-Length: 15\r\n\r\n<html>no</html>",
    "a detour": b"HTTP/1.1 302 Found\r\nLocation: http://nonesuch.invalid/\r\n\r\n",
    "no HTTP": b"220 mail.example.org ready\r\n",
}


@pytest.mark.parametrize("case", ODD_ANSWERS)
def test_rest_something_else_answers(case):
    with (
        ServingClient(f"http://localhost:{answering(ODD_ANSWERS[case])}") as client,
        pytest.raises(XcosError, match="is not TF Serving's API"),
    ):
        client.status()


def test_the_other_protocol(kind, servables):
    other = "rest" if kind == "grpc" else "grpc"
    with (
        StandIn(servables, other) as server,
        ServingClient(address(kind, server.port)) as client,
        pytest.raises(XcosError, match="is not TF Serving's API") as fault,
    ):
        client.status()
    assert not isinstance(fault.value, ServerUnavailable)


def test_a_request_over_the_limit(server, faces):
    with (
        ServingClient(server.address, max_message_bytes=200_000) as client,
        pytest.raises(XcosError, match=r"3 for 'verify' takes 225,792 bytes.*about 2 at a"),
    ):
        client.verify(*faces)
    with (
        ServingClient(server.address, max_message_bytes=1000) as client,
        pytest.raises(XcosError, match="1,000; raise max_message_bytes"),
    ):
        client.verify(*faces)
    # What goes over the line is more than the pixels.
    with (
        ServingClient(server.address, max_message_bytes=225_800) as client,
        pytest.raises(XcosError, match=r"takes (225,9|[1-9]\d\d,\d)\d\d"),
    ):
        client.verify(*faces)
    assert server.calls == 0


def test_an_answer_over_the_limit(server):
    """The maps of a few pairs are more bytes than images that are none."""
    with ServingClient(server.address, max_message_bytes=2000) as client:
        assert len(client.verify_encoded([b""], [b""])) == 1
        with pytest.raises(XcosError, match=r"too large.*send fewer at a time"):
            client.verify_encoded([b""] * 8, [b""] * 8)
    assert server.calls == 2


def test_a_limit_of_the_server(servables, faces):
    with (
        StandIn(servables, "grpc", max_message_bytes=100_000) as server,
        ServingClient(server.address, timeout=60) as client,
    ):
        with pytest.raises(XcosError, match=r"too large.*2259.*send fewer at a time"):
            client.verify(*faces)
        assert client.verify(*(batch[:1] for batch in faces)).same[0]
