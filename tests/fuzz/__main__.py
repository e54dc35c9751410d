"""`python -m tests.fuzz --inputs 20000 --seed 1`: a table, and exit code 1 at a fault."""

import argparse
import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


def main() -> int:
    from tests.fuzz.engine import try_reader
    from tests.fuzz.readers import READERS, try_all

    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000, help="of all readers together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--reader", help="only those with this in their name")
    parser.add_argument("--only", type=int, metavar="N", help="only input number N of --reader")
    args = parser.parse_args()
    readers = [x for x in READERS if args.reader is None or args.reader in x.name]
    if args.only is not None:
        results = ((x, try_reader(x, 1, args.seed, args.only)) for x in readers)
    else:
        results = try_all(args.inputs, args.seed, readers)
    print(f"seed {args.seed}\n\n| reader | inputs | read | refused | faults | seconds |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    faults, inputs, start, told = 0, 0, time.monotonic(), []
    for reader, found in results:
        count, now = sum(found.counts.values()), time.monotonic()
        cells = (reader.name, found.inputs, found.taken, found.inputs - found.taken, count)
        print("|", *(f"{x} |" for x in cells), f"{now - start:.1f} |", flush=True)
        faults, inputs, start = faults + count, inputs + found.inputs, now
        told += [
            f"{reader.name}, {x}, {found.counts[x]} times: {y}" for x, y in found.faults.items()
        ]
    print(f"| all | {inputs} | | | {faults} | |\n")
    print(*told, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
