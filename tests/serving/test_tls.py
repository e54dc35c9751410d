"""Encrypted connections, with certificates made on the spot."""

import ssl

import grpc
import pytest
import trustme

from tests.serving.stand_in import StandIn
from xcos_tf.errors import XcosError
from xcos_tf.serving.client import ServingClient


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def root(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("tls") / "root.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def credentials(kind, authority, name="localhost", clients=None):
    """What a server takes; with `clients` it asks for a certificate of that authority."""
    own = authority.issue_cert(name)
    if kind == "rest":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own.configure_cert(context)
        if clients:
            clients.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context
    chain = b"".join(part.bytes() for part in own.cert_chain_pems)
    pair = [(own.private_key_pem.bytes(), chain)]
    asked = clients.cert_pem.bytes() if clients else None
    return grpc.ssl_server_credentials(pair, asked, require_client_auth=bool(clients))


@pytest.fixture
def secure(servables, kind, authority):
    with StandIn(servables, kind, tls=credentials(kind, authority)) as server:
        yield server


def test_encrypted(secure, root, faces):
    with ServingClient(secure.address, root_certificate=root, timeout=60) as client:
        assert client.verify(*faces).same[0]
        assert client.status()[0].state == "AVAILABLE"


def refuse(server, sentence, **options):
    with (
        ServingClient(server, timeout=60, **options) as client,
        pytest.raises(XcosError, match=sentence) as fault,
    ):
        client.status()
    assert "\n" not in str(fault.value)


def test_an_authority_that_is_not_trusted(secure):
    refuse(secure.address, "no encrypted connection.*(?i:certificate)")
    assert secure.calls == 0


def test_a_certificate_of_another_name(servables, kind, authority, root):
    with StandIn(servables, kind, tls=credentials(kind, authority, "example.org")) as server:
        refuse(server.address, "no encrypted connection.*(?i:hostname)", root_certificate=root)


def test_a_server_without_encryption(server, root):
    secure = server.address.replace("http:", "https:")
    secure = secure if "://" in secure else f"grpcs://{secure}"
    refuse(
        secure, "no encrypted connection.*check that the server speaks TLS", root_certificate=root
    )


def test_a_client_without_encryption(secure):
    plain = secure.address.replace("https:", "http:").replace("grpcs:", "grpc:")
    refuse(plain, "cannot be reached")


def test_a_server_that_asks_who_is_there(servables, kind, authority, root, tmp_path, faces):
    clients = trustme.CA()
    mine = tmp_path / "mine.pem"
    clients.issue_cert("me@example.org").private_key_and_cert_chain_pem.write_to_path(str(mine))
    with StandIn(servables, kind, tls=credentials(kind, authority, clients=clients)) as server:
        options = {"root_certificate": root, "timeout": 60}
        with ServingClient(server.address, client_certificate=mine, **options) as client:
            assert client.verify(*faces).same[0]
        calls = server.calls
        refuse(server.address, "client certificate", root_certificate=root)
        assert server.calls == calls


BAD_FILES = {
    "missing": ({"root_certificate": "TMP/none.pem"}, r"none\.pem cannot be read \(No such file"),
    "no PEM": ({"root_certificate": "TMP/text"}, "holds no PEM block 'CERTIFICATE'"),
    "no key": ({"client_certificate": "ROOT"}, "holds no PEM block 'PRIVATE KEY'"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_file(case, root, tmp_path):
    (tmp_path / "text").write_text("no certificate")
    options, sentence = BAD_FILES[case]
    options = {
        name: value.replace("TMP", str(tmp_path)).replace("ROOT", str(root))
        for name, value in options.items()
    }
    with pytest.raises(XcosError, match=sentence):
        ServingClient("grpcs://localhost", **options)


def test_certificates_without_encryption(kind, root):
    plain = "localhost" if kind == "grpc" else "http://localhost"
    with pytest.raises(XcosError, match="certificates are for an encrypted connection"):
        ServingClient(plain, root_certificate=root)
