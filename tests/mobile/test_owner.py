"""An owner comes back from bytes as he was."""

import numpy as np

from xcos_tf.mobile.owner import Owner


def test_there_and_back(random):
    owner = Owner(
        templates=random.standard_normal((3, 7, 7, 32)).astype(np.float32),
        usual_similarity=random.standard_normal((7, 7)).astype(np.float32),
        threshold=0.1 + 0.2,
        model="ab" * 32,
        variant="int8",
        models="/folder/é with spaces",
        token="cd" * 16,
        attempts=7,
    )
    back = Owner.from_bytes(owner.as_bytes())
    for name, value in vars(owner).items():
        np.testing.assert_array_equal(getattr(back, name), value)
    assert back.templates.dtype == back.usual_similarity.dtype == np.float32
