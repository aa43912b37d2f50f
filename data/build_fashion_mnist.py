"""Rebuild data/fashion_mnist.npz from the four original files of Fashion-MNIST.

    python data/build_fashion_mnist.py [FOLDER]

FOLDER holds the originals, *-ubyte.gz; the default is where the Debian package
dataset-fashion-mnist puts them. The course must be installed (`pip install -e .`). The arrays
are the same on every machine and are checked before the file is replaced.
"""

import argparse
import gzip
import math
import struct
import sys
import zlib
from pathlib import Path

import numpy as np

from helpers.datasets import CLASS_NAMES, FASHION_MNIST_FILE, SHA256, checksum, save_arrays

DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
ORIGINALS = (
    "The originals are in the Debian package dataset-fashion-mnist "
    "and at https://github.com/zalandoresearch/fashion-mnist (folder data/fashion)."
)
SEED = 2017
N_PER_CLASS = {"train": 1000, "t10k": 200}


def build_arrays(folder):
    """Return the course's four arrays, name -> uint8 array, drawn from the files in `folder`."""
    # RandomState, because NumPy keeps its stream for ever; that of a Generator may change.
    random_state = np.random.RandomState(SEED)
    arrays = {}
    for split, prefix in (("train", "train"), ("test", "t10k")):
        images = read_idx(Path(folder) / f"{prefix}-images-idx3-ubyte.gz", n_dimensions=3)
        labels = read_idx(Path(folder) / f"{prefix}-labels-idx1-ubyte.gz", n_dimensions=1)
        if len(images) != len(labels):
            raise ValueError(f"{folder} has {len(images)} {split} images, {len(labels)} labels")
        rows = draw_rows(labels, N_PER_CLASS[prefix], random_state)
        arrays[f"{split}_images"], arrays[f"{split}_labels"] = images[rows], labels[rows]
    if checksum(arrays) != SHA256[FASHION_MNIST_FILE.name]:
        raise ValueError(f"{folder} holds other images. {ORIGINALS}")
    return arrays


def draw_rows(labels, n_per_class, random_state):
    """Return row numbers in shuffled order; each block of ten shows all ten classes."""
    rows_by_class = [
        random_state.permutation(np.flatnonzero(labels == label))[:n_per_class]
        for label in range(len(CLASS_NAMES))
    ]
    return np.concatenate([random_state.permutation(rows) for rows in zip(*rows_by_class)])


def read_idx(path, n_dimensions):
    """Return the uint8 array in a gzipped IDX file: magic number, big-endian sizes, then bytes."""
    try:
        content = gzip.decompress(path.read_bytes())
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} is missing. {ORIGINALS}") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is truncated or altered: {error}") from error
    header = struct.Struct(f">{1 + n_dimensions}I")
    magic = 0x0800 + n_dimensions  # 08 says unsigned bytes
    if len(content) < header.size or header.unpack_from(content)[0] != magic:
        raise ValueError(f"{path} is not an IDX file of bytes in {n_dimensions} dimension(s)")
    shape = header.unpack_from(content)[1:]
    n_bytes = len(content) - header.size
    if n_bytes != math.prod(shape):
        raise ValueError(f"{path} must hold {math.prod(shape)} bytes for {shape}, got {n_bytes}")
    return np.frombuffer(content, np.uint8, offset=header.size).reshape(shape)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Rebuild the course's Fashion-MNIST subset.")
    in_folder = "folder with the four original *-ubyte.gz files (default: %(default)s)"
    parser.add_argument("folder", nargs="?", type=Path, default=DEBIAN_FOLDER, help=in_folder)
    to_file = "file to write (default: %(default)s)"
    parser.add_argument("--output", type=Path, default=FASHION_MNIST_FILE, help=to_file)
    options = parser.parse_args(arguments)
    try:
        save_arrays(options.output, build_arrays(options.folder))
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    print(f"wrote {options.output}, {options.output.stat().st_size / 1e6:.2f} MB, checksums right")


if __name__ == "__main__":
    main()
