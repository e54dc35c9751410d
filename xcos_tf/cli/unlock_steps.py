"""What `xcos unlock enroll` and `xcos unlock try` do.

The passphrase of a store comes from a file, the environment or a prompt, never the command line.
"""

import getpass
import json
import math
import os
import sys
from argparse import Namespace
from importlib import import_module
from pathlib import Path

from xcos_tf.cli.arguments import photo_argument
from xcos_tf.errors import XcosError, counted, on_one_line, reason_of
from xcos_tf.explain.words import as_number
from xcos_tf.files import read_pipe
from xcos_tf.mobile.attempts import LOCKED_AFTER, Moment
from xcos_tf.mobile.decision import Decision, check_frames, judge
from xcos_tf.mobile.enrolling import enroll_owner
from xcos_tf.mobile.frames import Frame, read_frames
from xcos_tf.mobile.vault import Vault, check_new, create_vault, locked, open_vault
from xcos_tf.models.preset_folder import DEFAULT_PRESET, find_preset, lite_folder
from xcos_tf.runtime.litert import DEFAULT_VARIANT, model_files
from xcos_tf.verifier import Verifier

UNLOCKED, NOT_UNLOCKED, LOCKED_OUT = 0, 1, 3  # exit codes
WELL_ENROLLED = 3  # photos
ANYBODYS_HINT = "look straight at the camera, in even light, with nothing before the face"
VARIABLE = "XCOS_PASSPHRASE"
SHORTEST, LONGEST = 8, 1024
"""Letters of a passphrase that is new, and of any."""
PATIENCE = 30.0
"""Seconds in which a passphrase must come out of a pipe."""


def enroll(args: Namespace) -> int:
    """Check the photos, and store the owner; returns the exit code."""
    store = Path(args.store)
    check_new(store)
    passphrase = read_passphrase(args.passphrase_file, new=True)
    models = _models(args)
    verifier = Verifier.from_export(models, args.variant)
    owner = enroll_owner(
        verifier, read_frames(list(map(photo_argument, args.photos)), args.aligned), models
    )
    create_vault(store, passphrase, owner)
    print(f"enrolled {counted(len(args.photos), 'photo')} in {on_one_line(store)}")
    if len(args.photos) < WELL_ENROLLED:
        print(f"with {WELL_ENROLLED} or more photos it refuses the owner less often")
    return 0


def try_photos(args: Namespace) -> int:
    """Judge the photos by the store; returns the exit code."""
    store = Path(args.store)
    check_frames(len(args.photos))
    passphrase = read_passphrase(args.passphrase_file, new=False)
    with locked(store):
        return _try(args, open_vault(store, passphrase))


def _try(args: Namespace, vault: Vault) -> int:
    now = Moment.now()
    set_back = vault.attempts.clock_set_back(now)
    if set_back is not None:
        vault.record(set_back)
    wait = vault.attempts.wait(now)
    if wait > 0:
        over = math.isinf(wait)
        if args.json:
            seconds = None if over else math.ceil(wait)
            print(json.dumps({"unlocked": False, "locked_out": over, "wait_seconds": seconds}))
        elif over:
            told = f"delete {on_one_line(args.store)} and enroll again"
            print(f"locked out after {LOCKED_AFTER} failures in a row: {told}")
        else:
            print(f"too early after the last failure: wait {math.ceil(wait)} seconds")
        return LOCKED_OUT
    owner = vault.owner
    verifier = Verifier.from_export(
        args.models or owner.models, owner.variant, identity=owner.model
    )
    frames = read_frames(list(map(photo_argument, args.photos)), args.aligned)
    faces = [frame.face for frame in frames if frame.usable]
    if not faces:
        _say(args, frames, None, vault)
        return NOT_UNLOCKED
    # Counted before it is judged, so that stopping the process in between does not help.
    vault.record(vault.attempts.failed(now))
    decision = judge(verifier, owner, faces)
    if decision.unlocked:
        vault.record(vault.attempts.succeeded(now))
    _say(args, frames, decision, vault)
    return UNLOCKED if decision.unlocked else NOT_UNLOCKED


def _models(args: Namespace) -> Path:
    """Return the folder of the models to enroll with, if need be made of the default preset."""
    if args.models:
        return Path(args.models)
    if args.variant == DEFAULT_VARIANT:
        return lite_folder(find_preset(DEFAULT_PRESET))
    folder = Path(f"{args.store}.models")
    if not all(map(os.path.exists, model_files(folder, args.variant))):
        import_module("xcos_tf.environment")  # says so where TensorFlow cannot be loaded
        from xcos_tf.export.tflite.export import export_tflite

        export_tflite(DEFAULT_PRESET, folder, [args.variant], None)
        folder.chmod(0o700)  # it may have been there
    return folder


def _say(args: Namespace, frames: list[Frame], decision: Decision | None, vault: Vault) -> None:
    unlocked, failures = decision is not None and decision.unlocked, vault.attempts.failures
    left = max(0, LOCKED_AFTER - failures)
    # Of a failure nothing by which one could come nearer to the owner with every try.
    told = decision is not None and (unlocked or "debug" in args)
    scores = iter(decision.scores.tolist() if told else ())
    hint = decision.hint if decision and (told or decision.near) else ANYBODYS_HINT
    if args.json:
        answer = {
            "unlocked": unlocked,
            "locked_out": not left,
            "frames": [
                {
                    "photo": frame.name,
                    "score": next(scores, None) if frame.usable else None,
                    "faults": frame.problems,
                }
                for frame in frames
            ],
            "needed": decision and decision.needed,
            "threshold": decision.threshold if told else None,
            "hint": hint if decision else "",
            "failures": failures,
        }
        print(json.dumps(answer, indent=2))
        return
    for frame in frames:
        if not frame.usable:
            print(f"not used: {on_one_line(frame.name)} {frame.problems[0]}")
    if decision is None:
        print("not unlocked: no photo can be used; this try does not count")
        return
    best, needed = as_number(max(decision.scores), 3), decision.needed
    count, threshold = len(decision.scores), f"{decision.threshold:.3f}"
    if unlocked:
        matching = f"{decision.matching} of {count} frames match, {needed} must"
        print(f"unlocked: {matching} (best xCos {best} ≥ {threshold})")
        return
    print(f"not unlocked: too few of {count} frames match, {needed} must")
    if told:
        print(f"best xCos {best}, threshold {threshold}")
    print(hint)
    if left:
        print(f"{counted(failures, 'failure')} in a row; {left} more locks out")
    else:
        print(f"locked out: {LOCKED_AFTER} failures in a row")


def read_passphrase(file: str | None, new: bool) -> str:
    """Return the passphrase: the first line of a file, $XCOS_PASSPHRASE, or what is typed.

    A `new` one must be long enough and typed twice.

    Raises:
        XcosError: the file cannot be read, there is no terminal to ask at, or it is empty, too
            short or typed differently.
    """
    if file is not None:
        try:
            line = read_pipe(file, 4 * LONGEST + 8, PATIENCE, line=True)
            passphrase = line.decode("utf-8-sig").rstrip("\r")
        except (OSError, ValueError) as error:
            reason = reason_of(error) if isinstance(error, OSError) else "it is not text"
            raise XcosError(
                f"the passphrase file {file} cannot be read ({reason}); give one with the "
                "passphrase in its first line"
            ) from None
    elif VARIABLE in os.environ:
        passphrase = os.environ[VARIABLE]
    else:
        passphrase = _ask(new)
    if not passphrase:
        raise XcosError("the passphrase is empty; give the one of the store")
    if len(passphrase) > LONGEST:
        raise XcosError(f"the passphrase is too long; give one of at most {LONGEST} letters")
    if new and len(passphrase) < SHORTEST:
        raise XcosError(f"the passphrase is too short; choose one of at least {SHORTEST} letters")
    return passphrase


def _ask(new: bool) -> str:
    if not sys.stdin.isatty():
        raise XcosError(
            "there is no terminal to ask for the passphrase at; give --passphrase-file or set "
            f"{VARIABLE}"
        )
    try:
        passphrase = getpass.getpass("passphrase: ")
        again = getpass.getpass("again: ") if new else passphrase
    except (EOFError, UnicodeDecodeError):
        raise XcosError("no passphrase was typed; try again") from None
    if again != passphrase:
        raise XcosError("the two passphrases differ; try again")
    return passphrase
