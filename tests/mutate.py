"""Break the code on purpose, one place at a time, and say which breaks the tests notice.

    python tests/mutate.py [--at COMMIT] [--only WORD]

`mutations.yaml` beside this file lists the breaks, and which tests belong to which file. A break
survives if these tests pass all the same; on the code as it is they must pass.
"""

import io
import multiprocessing
import os
import subprocess
import sys
import tarfile
import tempfile
from argparse import ArgumentParser
from pathlib import Path

import pytest
from ruamel.yaml import YAML

HERE = Path(__file__).resolve().parent
LIMIT = 600  # seconds


def main() -> None:
    """Print what became of each break, and how many were noticed in each room."""
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--at", metavar="COMMIT", default="HEAD", help="whose code and tests")
    parser.add_argument("--only", default="", metavar="WORD", help="files with this in their path")
    args = parser.parse_args()
    listed = YAML(typ="safe").load(HERE / "mutations.yaml")
    command = ["git", "archive", args.at]
    tar = subprocess.run(command, cwd=HERE.parent, check=True, stdout=subprocess.PIPE)
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(tar.stdout)) as archive:
            archive.extractall(folder)
        os.chdir(folder)
        os.environ |= {"PYTHONPATH": folder, "TF_CPP_MIN_LOG_LEVEL": "3"}
        sys.path.insert(0, folder)
        from tensorflow import keras  # once for all; each run of tests is a fork

        assert keras.layers, "Keras loads late"
        for room, files in listed.items():
            files = [entry for entry in files if args.only in entry["file"]]
            if noticed := [mark for entry in files for mark in try_each(**entry)]:
                print(f"{room}: {sum(noticed)} of {len(noticed)} noticed", flush=True)


def try_each(file: str, tests: list[str], breaks: list[list[str]]):
    """Yield whether each break of a file was noticed; see the list for its form."""
    tests = [test for test in tests if Path(test).exists()]
    path = Path(file)
    if not path.exists():  # in a commit before it
        print(f"  not there  {file}", flush=True)
        return
    whole = path.read_text(encoding="utf-8")
    if fails(tests):
        raise SystemExit(f"{tests} fail on the code as it is")
    for words in breaks:
        couples = zip(words[::2], words[1::2], strict=True)
        old, new = next((x for x in couples if whole.count(x[0]) == 1), (None, None))
        if old is None:
            print(f"  not there  {file}: {words[0]!r}", flush=True)
            continue
        path.write_text(whole.replace(old, new), encoding="utf-8")
        noticed = fails(tests)
        path.write_text(whole, encoding="utf-8")
        print(f"  {'noticed ' if noticed else 'SURVIVED'}  {file}: {old!r} → {new!r}", flush=True)
        yield noticed


def fails(tests: list[str]) -> bool:
    """Return whether tests fail, or hang, in a process of their own."""
    process = multiprocessing.get_context("fork").Process(target=run, args=[tests])
    process.start()
    process.join(LIMIT)
    process.kill()
    return process.exitcode != 0


def run(tests: list[str]) -> None:
    """Run pytest in silence and exit as it does."""
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    sys.dont_write_bytecode = True  # a break may keep a file's size and second
    sys.exit(pytest.main(["-x", "-q", "-m", "", "-p", "no:cacheprovider", *tests]))


if __name__ == "__main__":
    main()
