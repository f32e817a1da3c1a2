#!/usr/bin/python3
"""Judges a masked DICOM file against its original, with pydicom, gdcm and numpy only.

    compare.py ORIGINAL MASKED [ORIGINAL MASKED ...] --region X,Y,WIDTH,HEIGHT [--region ...] [--frames 1-5,9] [--allow KEYWORD ...]

Regions are stored pixels, origin top left, far edge excluded, as burned (snapped outward where the format asks for it). In lossy JPEG the two pixels
on both sides of a region's edge are not judged, because decoders mix them. Prints one JSON object a
line for each pair: what was found, and `problems`, a list of sentences. Exit status: 0 no problem, 1 problems, 2 a pair could not be judged.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import warnings

import numpy
import pydicom
from pydicom.datadict import keyword_for_tag

# What cleaning pixels may change (PS3.15 E.3.1, PS3.3 C.7.6.1.1.2), and what it may only remove.
CHANGEABLE = {
    "BurnedInAnnotation", "DeidentificationMethod", "DeidentificationMethodCodeSequence", "DerivationDescription", "ImageType",
    "ContributingEquipmentSequence", "SmallestImagePixelValue", "LargestImagePixelValue", "PixelData", "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths", "DataSetTrailingPadding", "FloatPixelData", "DoubleFloatPixelData",
}
REMOVABLE = {"IconImageSequence", "DigitalSignaturesSequence", "MACParametersSequence", "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
             "SmallestImagePixelValue", "LargestImagePixelValue", "DataSetTrailingPadding"}
FILE_META = {"FileMetaInformationGroupLength", "ImplementationClassUID", "ImplementationVersionName"}
DECODE_SECONDS = 120
LOSSY_JPEG = {f"1.2.840.10008.1.2.4.{last}" for last in (50, 51, 53, 55)}
# Pixels on both sides of the edge of a masked block that decoders mix when they enlarge the colours.
BLEND = 2


class CannotJudge(Exception):
    pass


def decode(paths):
    """The samples of each file, or a CannotJudge in its place."""
    decoder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "decode.py")
    with tempfile.TemporaryDirectory() as folder:
        outs = [os.path.join(folder, f"{index}.npy") for index in range(len(paths))]
        command = [sys.executable, decoder] + [word for pair in zip(paths, outs) for word in pair]
        try:
            child = subprocess.run(command, capture_output=True, text=True, timeout=DECODE_SECONDS)
            if child.returncode == 0:
                return [numpy.load(out) for out in outs]
            reason = f"decoding {paths[0]} ended with {child.returncode}: {(child.stderr.strip().splitlines() or ['no message'])[-1]}"
        except subprocess.TimeoutExpired:
            reason = f"decoding {paths[0]} took longer than {DECODE_SECONDS} s"
    if len(paths) == 1:
        return [CannotJudge(reason)]
    # In halves: one file that cannot be read must not cost a process for each of the others.
    half = len(paths) // 2
    return decode(paths[:half]) + decode(paths[half:])


def black_of(dataset):
    """The samples of a black pixel, as the decoder gives them (PS3.3 C.7.6.3.1.2)."""
    bits = dataset.BitsStored
    lowest = -(1 << (bits - 1)) if dataset.PixelRepresentation else 0
    highest = (1 << (bits - 1 if dataset.PixelRepresentation else bits)) - 1
    photometric = dataset.PhotometricInterpretation
    if photometric == "MONOCHROME1":
        return [highest]
    if photometric == "PALETTE COLOR":
        return [darkest_entry(dataset)]
    if photometric in ("YBR_FULL", "YBR_FULL_422"):
        return [0, 1 << (bits - 1), 1 << (bits - 1)]
    return [lowest] * dataset.SamplesPerPixel


def darkest_entry(dataset):
    channels = []
    for colour in ("Red", "Green", "Blue"):
        entries, first, bits = dataset[f"{colour}PaletteColorLookupTableDescriptor"].value
        data = dataset[f"{colour}PaletteColorLookupTableData"].value
        width = 1 if bits == 8 and len(data) <= (entries or 65536) + 1 else 2
        channels.append(numpy.frombuffer(data[:(entries or 65536) * width], "<u1" if width == 1 else "<u2").astype(float))
    luminance = 0.299 * channels[0] + 0.587 * channels[1] + 0.114 * channels[2]
    return dataset.RedPaletteColorLookupTableDescriptor[1] + int(luminance.argmin())


def stored_bits(samples, dataset):
    """The samples without what lives above HighBit or below it, sign restored."""
    bits = dataset.BitsStored
    values = (samples.astype(numpy.int64) >> (dataset.HighBit + 1 - bits)) & ((1 << bits) - 1)
    if dataset.PixelRepresentation:
        values = numpy.where(values >> (bits - 1), values - (1 << bits), values)
    return values


def raw(element):
    """What is comparable of an element: bytes where it was not parsed, items where it was."""
    value = element.value
    if isinstance(value, pydicom.sequence.Sequence):
        return [{tag: raw(item.get_item(tag)) for tag in item.keys()} for item in value]
    # An explicit VR is part of the file; an implicit one is pydicom's guess, and the same in both.
    return (element.VR, value if isinstance(value, (bytes, type(None))) else repr(value))


def name_of(tag):
    return keyword_for_tag(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def differing(before, after):
    """Names of changed, added and removed attributes. Sequences are compared to their last byte, but named as a whole."""
    old, new = set(before.keys()), set(after.keys())
    # Group lengths (retired, PS3.5 7.2) follow what is in their groups.
    changed = [tag for tag in sorted(old & new) if tag & 0xFFFF != 0 and raw(before.get_item(tag)) != raw(after.get_item(tag))]
    return [[name_of(tag) for tag in tags] for tags in (changed, sorted(new - old), sorted(old - new))]


def frames_of(text, count):
    if not text:
        return list(range(count))
    frames = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        frames.update(range(int(first) - 1, int(last or first)))
    return sorted(frames)


def compare(original, masked, regions, frames=None, allow=(), samples=None):
    """The findings as a dictionary; `problems` is empty when the masked file is as it should be. `samples` are those of both, where decoded already."""
    warnings.simplefilter("ignore")
    before, after = pydicom.dcmread(original, force=True), pydicom.dcmread(masked, force=True)
    problems = []

    changed, added, removed = differing(before, after)
    allowed = CHANGEABLE | set(allow)
    problems += [f"{name} changed" for name in changed if name not in allowed]
    problems += [f"{name} was added" for name in added if name not in allowed - {"PixelData"}]
    problems += [f"{name} was removed" for name in removed if name not in REMOVABLE | set(allow)]
    meta = [name for names in differing(before.file_meta, after.file_meta) for name in names]
    problems += [f"{name} of the file meta information changed" for name in meta if name not in FILE_META | set(allow)]
    if before.preamble != after.preamble:
        problems.append("the preamble changed")

    old, new = samples or decode([original, masked])
    for side in (old, new):
        if isinstance(side, CannotJudge):
            raise side
    if old.shape != new.shape:
        raise CannotJudge(f"the shape changed from {old.shape} to {new.shape}")
    black = None if before.file_meta.get("TransferSyntaxUID") in LOSSY_JPEG else black_of(after)
    is_lossy_jpeg = before.file_meta.get("TransferSyntaxUID") in LOSSY_JPEG
    blend = BLEND if is_lossy_jpeg else 0
    inside, around = numpy.zeros(old.shape[:3], dtype=bool), numpy.zeros(old.shape[:3], dtype=bool)
    for x, y, width, height in regions:
        if x < 0 or y < 0 or width < 1 or height < 1 or x >= old.shape[2] or y >= old.shape[1]:
            raise CannotJudge(f"region {x},{y},{width},{height} lies outside the image")
        picked = frames_of(frames, old.shape[0])
        inside[picked, y + blend:y + height - blend, x + blend:x + width - blend] = True
        around[picked, max(0, y - blend):y + height + blend, max(0, x - blend):x + width + blend] = True
    # What is black depends on colour conversions in the decoder; all pixels alike leave no text either.
    expected = numpy.array(black) if not is_lossy_jpeg else stored_bits(new, after)[inside][0] if inside.any() else 0
    not_black = int((stored_bits(new, after) != expected)[inside].any(axis=-1).sum())
    changed_outside = int((old != new)[~around].sum())
    above = ((new.astype(numpy.int64) >> (after.HighBit + 1)) != 0) if not after.PixelRepresentation else numpy.zeros(new.shape, dtype=bool)
    overlay_bits = int(above[inside].any(axis=-1).sum())
    if not_black:
        problems.append(f"{not_black} pixels inside the regions are not black {black}")
    if changed_outside:
        problems.append(f"{changed_outside} samples outside the regions changed")
    if overlay_bits:
        problems.append(f"{overlay_bits} pixels inside the regions have bits set above HighBit")
    if not around.any():
        problems.append("nothing was to be masked")

    codes = [item.get("CodeValue") for item in after.get("DeidentificationMethodCodeSequence", [])]
    if after.get("BurnedInAnnotation") != "NO":
        problems.append("BurnedInAnnotation is not NO")
    if codes.count("113101") != 1:
        problems.append(f"DeidentificationMethodCodeSequence holds 113101 {codes.count('113101')} times")

    return {
        "frames": old.shape[0],
        "transferSyntax": before.file_meta.get("TransferSyntaxUID"),
        "outputTransferSyntax": after.file_meta.get("TransferSyntaxUID"),
        "black": black,
        "notBlack": not_black,
        "changedOutside": changed_outside,
        "changedInside": int((old != new)[inside].sum()),
        "changedAttributes": changed,
        "addedAttributes": added,
        "removedAttributes": removed,
        "changedFileMeta": meta,
        "problems": problems,
    }


def main():
    parser = argparse.ArgumentParser(description="Judges a masked DICOM file against its original.")
    parser.add_argument("files", nargs="+", metavar="ORIGINAL MASKED")
    parser.add_argument("--region", action="append", required=True, type=lambda text: tuple(int(part) for part in text.split(",", 3)))
    parser.add_argument("--frames", help="1-based, such as 1-5,9; all where absent")
    parser.add_argument("--allow", action="append", default=[], help="keyword of one more attribute that may differ")
    arguments = parser.parse_args()
    if len(arguments.files) % 2:
        parser.error("each original needs its masked file")
    samples, status = decode(arguments.files), 0
    for index in range(0, len(arguments.files), 2):
        try:
            result = compare(*arguments.files[index:index + 2], arguments.region, arguments.frames, arguments.allow, samples[index:index + 2])
            status = max(status, 1 if result["problems"] else 0)
        except CannotJudge as reason:
            result, status = {"problems": [f"cannot judge: {reason}"]}, 2
        print(json.dumps(result))
    return status


if __name__ == "__main__":
    sys.exit(main())
