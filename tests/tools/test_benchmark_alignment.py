from tools.benchmark_alignment import measure, sample_photos


def test_measures_both_ways_on_the_samples():
    photos = sample_photos(8)
    assert all(photo.shape == (250, 250, 3) for photo in photos)
    result = measure(photos, batch_size=4)
    assert result["one_by_one"] > 0
    # The bar is 4 on a quiet machine with batches of 16; a test must stand a busy one.
    assert result["ratio"] > 1.5
    assert abs(result["ratio"] - result["batched"] / result["one_by_one"]) < 1e-9
