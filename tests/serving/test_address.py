import pytest

from xcos_tf.errors import XcosError
from xcos_tf.serving.address import ServerAddress

ADDRESSES = {
    "host": (False, False, "host:8500"),
    "host:9000": (False, False, "host:9000"),
    "10.0.0.1": (False, False, "10.0.0.1:8500"),
    "[::1]": (False, False, "[::1]:8500"),
    "[::1]:9000": (False, False, "[::1]:9000"),
    "grpc://host": (False, False, "host:8500"),
    "grpcs://host:443": (False, True, "host:443"),
    "http://host:8501": (True, False, "http://host:8501"),
    "HTTPS://host/models/": (True, True, "https://host/models"),
}
BAD = (
    "",
    ":8500",
    "host:port",
    "host:99999",
    "host/path",
    "host:1/path",
    "ftp://host",
    "unix:///tmp/socket",
    "http://",
    "http://host?x=1",
    "me:secret@host",
    "two hosts",
    "[::1",
    "..:8500",
    "a\\b",
    "%00",
    "ho\x00st",
    "grpc://host,other",
)


@pytest.mark.parametrize("text", ADDRESSES)
def test_address(text):
    address = ServerAddress.parse(text)
    assert (address.rest, address.secure, str(address)) == ADDRESSES[text]


@pytest.mark.parametrize("text", BAD)
def test_no_address(text):
    with pytest.raises(XcosError, match="is no server's address; give HOST or HOST:PORT") as fault:
        ServerAddress.parse(text)
    assert repr(text) in str(fault.value)
