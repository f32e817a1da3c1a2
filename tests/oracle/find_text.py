#!/usr/bin/python3
"""Looks for a text in every plane of a DICOM file: decoded frames, single bits of their cells, colours of a palette, overlays, and all bytes of the file
read as pictures, which finds icons, padding and what stands behind the end.

Reads JSON lines {"file", "glyph": ["#..#", ...]} and answers each with the sorted names of the places where the pattern is, at any position, bright or
dark. A place counts where pattern and picture correlate by 0.85 and more.
"""
import json
import os
import sys
import warnings

import numpy
import pydicom
from numpy.lib.stride_tricks import sliding_window_view

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import decode  # noqa: E402

ENOUGH = 0.85
ROWS_AT_ONCE = 400


def holds(plane, glyph):
    """Whether the glyph is somewhere in the plane."""
    height, width = glyph.shape
    if plane.shape[0] < height or plane.shape[1] < width:
        return False
    pattern = (glyph - glyph.mean()) / numpy.sqrt(((glyph - glyph.mean()) ** 2).sum())
    for top in range(0, plane.shape[0] - height + 1, ROWS_AT_ONCE):
        part = plane[top:top + ROWS_AT_ONCE + height - 1].astype(numpy.float32)
        windows = sliding_window_view(part, glyph.shape).reshape(-1, height * width)
        spread = windows.std(axis=1) * numpy.sqrt(height * width)
        likeness = numpy.abs(windows @ pattern.reshape(-1).astype(numpy.float32)) / numpy.where(spread < 1e-3, numpy.inf, spread)
        if (likeness >= ENOUGH).any():
            return True
    return False


def widths_of(dataset):
    """The widths of all pictures in the file."""
    widths = {int(dataset[tag].value) for tag in [*((group << 16) | 0x0011 for group in range(0x6000, 0x6100, 2)), 0x00280011] if tag in dataset}
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                widths |= widths_of(item)
    return widths


def planes(path):
    """Names and planes."""
    dataset = pydicom.dcmread(path, force=True)
    samples = decode.decode(path)
    for number, frame in enumerate(samples, 1):
        for sample in range(frame.shape[2]):
            plane = frame[:, :, sample]
            yield f"frame {number}", plane
            for bit in range(8 * plane.itemsize):
                yield f"frame {number} bit {bit}", (plane.astype(numpy.int64) >> bit) & 1
        if dataset.get("PhotometricInterpretation") == "PALETTE COLOR":
            channels = [numpy.frombuffer(dataset[f"{colour}PaletteColorLookupTableData"].value, "<u2") for colour in ("Red", "Green", "Blue")]
            yield f"colours of frame {number}", sum(channel.astype(float)[frame[:, :, 0]] for channel in channels)
    for group in range(0x6000, 0x6100, 2):
        if (group << 16) | 0x3000 in dataset:
            rows, columns = dataset[(group << 16) | 0x0010].value, dataset[(group << 16) | 0x0011].value
            data = dataset[(group << 16) | 0x3000].value
            if not dataset.is_little_endian:
                data = numpy.frombuffer(data, ">u2").astype("<u2").tobytes()
            bits = numpy.unpackbits(numpy.frombuffer(data, "u1"), bitorder="little")
            for number in range(len(bits) // (rows * columns)):
                yield f"overlay {group:04X} frame {number + 1}", bits[number * rows * columns:(number + 1) * rows * columns].reshape(rows, columns)
    with open(path, "rb") as file:
        data = file.read()
    # Where rows begin is not known: one of four beginnings leaves the text whole.
    for width in widths_of(dataset):
        for shift in range(0, width, max(1, width // 4)):
            for kind, size in (("u1", 1), ("<u2", 2), (">u2", 2)):
                for start in range(shift * size, shift * size + size):
                    numbers = numpy.frombuffer(data, kind, max(0, len(data) - start) // size, start)
                    yield "bytes", numbers[:len(numbers) // width * width].reshape(-1, width)
            bits = numpy.unpackbits(numpy.frombuffer(data, "u1"), bitorder="little")[shift:]
            yield "bits", bits[:len(bits) // width * width].reshape(-1, width)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        question = json.loads(line)
        wanted = numpy.array([[1.0 if dot == "#" else 0.0 for dot in row] for row in question["glyph"]])
        found = set()
        for name, plane in planes(question["file"]):
            if name not in found and holds(plane, wanted):
                found.add(name)
        print(json.dumps(sorted(found)), flush=True)
