from tools.benchmark_partial_fc import main


def test_both_ways_are_timed(capsys):
    assert main(["--sizes", "40x8", "--share", "0.5", "--batch", "4", "--steps", "2"]) == 0
    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split()[0] == "people"
    people, dimension, full, sampled, ratio = row.split()
    assert (people, dimension) == ("40", "8")
    assert abs(float(full) / float(sampled) - float(ratio)) < 0.2 + 0.1 * float(ratio)
