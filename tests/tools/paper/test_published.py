from tools.paper.published import TABLE_1, TABLE_2, TABLE_2_COLUMNS


def test_the_two_tables_agree_where_they_overlap():
    lfw = dict(zip(TABLE_2_COLUMNS, TABLE_2["LFW"], strict=True))
    assert TABLE_1["xCos on CosFace, L"] == lfw["CosFace L"] == 99.67
    assert TABLE_1["xCos on ArcFace, L"] == lfw["ArcFace L"] == 99.36


def test_each_set_has_a_number_for_each_column():
    assert list(TABLE_2) == ["LFW", "YTF", "VGG2-FP", "AgeDB-30", "CALFW", "CFP-FF", "CFP-FP"]
    for row in TABLE_2.values():
        assert len(row) == len(TABLE_2_COLUMNS) == 8
        assert all(85 < accuracy < 100 for accuracy in row)
