"""The Dockerfile and compose.yaml, which nothing here can run: what they say must be true."""

import re
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.bare_environment import make_environment, run_bare
from xcos_tf.cli.main import COMMANDS

if sys.version_info < (3, 11):
    pytest.skip("reads TOML by the standard library", allow_module_level=True)
import tomllib

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
INSTALLED = re.findall(r'^    "(.+?)"', DOCKERFILE, re.M)
TRAINING = {"tensorflow", "keras", "tensorboard"}


def name_of(requirement: str) -> str:
    return re.match(r"[\w.-]+", requirement)[0]


def test_it_installs_what_the_service_needs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    needed = {x for x in project["dependencies"] if name_of(x) not in TRAINING}
    assert sorted(INSTALLED) == sorted(needed | {*extras["serve"], *extras["postgres"]})


def test_it_ends_without_root_and_copies_what_there_is():
    assert len(re.findall("^FROM ", DOCKERFILE, re.M)) == 2
    assert DOCKERFILE.index("\nUSER xcos\n") > DOCKERFILE.rindex("FROM ")
    kept = (ROOT / ".dockerignore").read_text().split()
    for copied in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.M):
        assert all((ROOT / name).exists() and f"!{name}" in kept for name in copied.split())


def test_compose_runs_commands_that_there_are():
    services = YAML(typ="safe").load((ROOT / "compose.yaml").read_text(encoding="utf-8"))[
        "services"
    ]
    ours = {name: service["command"] for name, service in services.items() if "build" in service}
    assert ours.keys() == {"serve", "enroll"} and {x[0] for x in ours.values()} <= {*COMMANDS}
    assert {x[x.index("--store") + 1] for x in ours.values()} == {"postgresql://xcos@database/xcos"}
    assert services["database"]["environment"]["POSTGRES_USER"] == "xcos"


@pytest.mark.slow
def test_with_that_alone_the_service_answers(tmp_path):
    python = make_environment(tmp_path / "venv", [name_of(x) for x in INSTALLED])
    program = (
        "import sys; from xcos_tf.verifier import Verifier; from xcos_tf.web.app import create_app;"
        "import xcos_tf.search.folder, xcos_tf.search.postgres;"
        "create_app(Verifier.from_preset()); print('tensorflow' in sys.modules)"
    )
    answer = run_bare(python, "-c", program)
    assert (answer.stdout, answer.returncode) == ("False\n", 0), answer.stderr
