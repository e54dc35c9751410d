"""The page as a folder for any static host, whose visitors' browsers compute everything."""

import os
from importlib.resources import files
from pathlib import Path

from xcos_tf.errors import XcosError, shown
from xcos_tf.explain.words import TRUSTED_DROP
from xcos_tf.files import read_bytes, replace_file, write_json
from xcos_tf.models.preset_folder import lite_folder, whatif_file
from xcos_tf.verifier import Verifier
from xcos_tf.web.answers import preset_answer

LITERT = "2.5.3"
"""The version of LiteRT.js that the page is tested with."""

NPM = Path("node_modules", "@litertjs")
"""Where `npm install` puts it."""

LITERT_FILES = (
    "core/package.json",
    "core/dist/index.js",
    # One for browsers that know relaxed SIMD, one for the others.
    "core/wasm/litert_wasm_internal.js",
    "core/wasm/litert_wasm_internal.wasm",
    "core/wasm/litert_wasm_compat_internal.js",
    "core/wasm/litert_wasm_compat_internal.wasm",
    "wasm-utils/dist/index.js",
)
"""Of the packages `@litertjs/core` and `@litertjs/wasm-utils`."""

STATIC = Path(__file__).parent / "static"
_FIXED = ("patched", "correlated")


def write_site(folder: Path, preset: str, litert: Path) -> None:
    """Write the page, a preset's float32 TFLite files, MTCNN's, and LiteRT.js.

    Args:
        folder: to write to; files of the same names are replaced.
        preset: a bundled xCos preset, or the folder of one.
        litert: the folder `@litertjs` that npm made.

    Raises:
        XcosError: the preset has no TFLite files or no maps, LiteRT.js is not there, or a file
            cannot be written.
    """
    facts, needed = models_and_litert(preset, litert)
    for name, path in (page_files() | needed).items():
        content = read_bytes(path)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        replace_file(folder / name, lambda stream, content=content: stream.write(content))
    write_json(folder / "presets", facts)


def page_files() -> dict[str, Path]:
    """Return {name in the site: file} of the page itself."""
    found = {f"static/{path.name}": path for path in STATIC.iterdir()}
    return found | {x: found.pop(f"static/{x}") for x in ("index.html", "unlock.html")}


def models_and_litert(preset: str | os.PathLike, litert: Path) -> tuple[dict, dict[str, Path]]:
    """Return what the page must know, and {name in the site: file} of what computes in it.

    That is a preset's float32 TFLite files, MTCNN's, and LiteRT.js.

    Args:
        preset: a bundled xCos preset, or the folder of one.
        litert: the folder `@litertjs` that npm made.

    Raises:
        XcosError: the preset has no TFLite files or no maps, or LiteRT.js is not there.
    """
    missing = [name for name in LITERT_FILES if not (litert / name).is_file()]
    if missing:
        raise XcosError(
            f"LiteRT.js is not in {shown(str(litert))} (no {missing[0]}); run `npm install "
            f"@litertjs/core@{LITERT}`, and give the folder node_modules/@litertjs with --litert"
        )
    verifier = Verifier.from_preset(preset, runtime="litert")
    if not verifier.explains:
        raise XcosError(
            f"the preset {verifier.config['name']!r} has no maps to show; use an xCos preset"
        )
    source, mtcnn = verifier.runtime.preset, files("xcos_tf.data").joinpath("mtcnn")
    whatif = whatif_file(source)
    facts = {
        **preset_answer(verifier, store=False),
        "on_device": True,
        "attention": verifier.attentions[-1],
        "fixed_attentions": {x: verifier.fixed_weights(x).tolist() for x in _FIXED},
        "whatif": whatif.is_file(),
        "trusted_drop": TRUSTED_DROP,
    }
    needed = {f"models/{x}.tflite": mtcnn / f"{x}.tflite" for x in ("pnet", "rnet", "onet")}
    for model in ("embed", "compare"):
        needed[f"models/{model}.tflite"] = lite_folder(source) / f"{model}.float32.batch.tflite"
    if whatif.is_file():
        needed["models/whatif.tflite"] = whatif
    return facts, needed | {f"litert/{name}": litert / name for name in LITERT_FILES}
