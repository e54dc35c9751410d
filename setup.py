"""Package metadata of xcos_tf; `pip install .` gives the `xcos` command."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = re.search(
    r'^__version__ = "([^"]+)"', (ROOT / "xcos_tf/__init__.py").read_text(), re.M
).group(1)

MOBILE = ["ai-edge-litert>=1.2", "cryptography>=42"]
SERVING = [
    # Its versions are those of TensorFlow, each for that one and newer.
    "tensorflow-serving-api>=2.15,<2.22",
    "grpcio>=1.60",
    "requests>=2.31",
    "tenacity>=8.3",
]

setup(
    name="xcos_tf",
    version=VERSION,
    description="Explainable face verification (xCos) for TensorFlow and Keras",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=["xcos_tf", "xcos_tf.*"]),
    package_data={
        "xcos_tf": [
            "presets/*/*",
            "presets/*/compressed/*",
            "explain/report/*.j2",
            "explain/report/*.css",
            "export/tflite/representative/*.png",
        ]
    },
    install_requires=[
        # The default stack is TensorFlow 2.16 to 2.21 with Keras 3. 2.15 is let in for the
        # `addons` extra alone, which pins it; pip picks the newest otherwise.
        "tensorflow>=2.15,<2.22",
        "keras>=2.15,<4",
        "mtcnn>=1.0,<2",
        "tf-keras-vis>=0.8.7",
        "tensorflow-model-optimization>=0.8",
        "numpy>=1.26",
        "google-crc32c>=1.5",
        "scipy>=1.10,<2",
        "safetensors>=0.4.3",
        "protobuf>=4.22",
        "pillow>=10.1",
        "matplotlib>=3.8",
        "jinja2>=3.1",
        "tqdm>=4.66",
        "tensorboard>=2.15",
        "ruamel.yaml>=0.18,<0.20",
        "pydantic>=2.5,<3",
    ],
    extras_require={
        "gpu": ["tensorflow[and-cuda]"],
        "addons": [
            "tensorflow>=2.15,<2.16",
            "tensorflow-addons==0.23.*",
            "numpy<2",
        ],
        "convert": ["torch>=2.2"],
        "heic": ["pillow-heif>=0.16"],
        "serving": SERVING,
        "mobile": MOBILE,
        "test": [
            "pytest>=8",
            "pytest-xdist>=3.8",
            "packaging>=23",
            "ruff>=0.6",
            "scikit-learn>=1.3",
            "torch==2.13.0",
            "playwright>=1.40",
            *SERVING,
            *MOBILE,
            "trustme>=1.1",
            "pillow-heif>=0.16",
        ],
    },
    entry_points={"console_scripts": ["xcos = xcos_tf.cli.main:main"]},
)
