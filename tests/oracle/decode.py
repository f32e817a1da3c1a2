#!/usr/bin/python3
"""Decodes the pixels of a DICOM file with other software than the code under test: pydicom, and for what it leaves out dcmtk, gdcm and OpenJPEG's tool.

    decode.py FILE OUT.npy [FILE OUT.npy ...]   writes arrays (frames, rows, columns, samples) of the decoder's own type
    decode.py FILE OUT.raw [FILE OUT.raw ...]   writes the same samples as 32-bit little endian numbers

Run it as a child process with a time limit: decoders crash and stall on damaged files.
"""
import os
import subprocess
import sys
import tempfile
import warnings
import zlib

import numpy
import pydicom
from pydicom.encaps import generate_pixel_data, generate_pixel_data_frame
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian


TOOL_SECONDS = 60
JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")
JPEG = tuple(f"1.2.840.10008.1.2.4.{last}" for last in (50, 51, 53, 55, 57, 70))
PROGRESSIVE_JPEG = ("1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55")
HTJ2K = ("1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203")
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"


def decompress(path, *program):
    """The data set as dcmtk decompresses it, or as it was where dcmtk refuses it."""
    with tempfile.TemporaryDirectory() as folder:
        native = os.path.join(folder, "native.dcm")
        done = subprocess.run([*program, path, native], timeout=TOOL_SECONDS, capture_output=True, check=False)
        return pydicom.dcmread(native if done.returncode == 0 else path, force=True)


def by_openjpeg(codestream, dataset):
    """The samples of one frame, planes side by side."""
    with tempfile.TemporaryDirectory() as folder:
        coded, raw = os.path.join(folder, "frame.j2k"), os.path.join(folder, "frame.rawl")
        with open(coded, "wb") as file:
            file.write(codestream)
        subprocess.run(["opj_decompress", "-i", coded, "-o", raw], timeout=TOOL_SECONDS, capture_output=True, check=True)
        size = os.path.getsize(raw) // (dataset.Rows * dataset.Columns * dataset.SamplesPerPixel)
        planes = numpy.fromfile(raw, f"<{'i' if dataset.PixelRepresentation else 'u'}{size}")
        return planes.reshape(dataset.SamplesPerPixel, dataset.Rows, dataset.Columns).transpose(1, 2, 0)


def inflate(frame, dataset):
    count = dataset.Rows * dataset.Columns * dataset.SamplesPerPixel
    data = zlib.decompress(frame, wbits=-15)
    if dataset.BitsAllocated == 1:
        return numpy.unpackbits(numpy.frombuffer(data, "u1"), bitorder="little")[:count]
    return numpy.frombuffer(data, f"<{'i' if dataset.PixelRepresentation else 'u'}{dataset.BitsAllocated // 8}")[:count]


def dcmtk_reads(path, syntax):
    """Whether dcmtk decodes a JPEG or JPEG-LS file. gdcm answers rubbish without an error for some damaged frames."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["dcmdjpls" if syntax in JPEG_LS else "dcmdjpeg", path, os.path.join(folder, "native.dcm")]
        return subprocess.run(command, timeout=TOOL_SECONDS, capture_output=True, check=False).returncode == 0


def decode(path):
    """Samples as stored, shaped (frames, rows, columns, samples); planes interleaved, 4:2:2 chroma repeated."""
    warnings.simplefilter("ignore")
    dataset = pydicom.dcmread(path, force=True)
    if "TransferSyntaxUID" not in dataset.file_meta:
        # A bare data set: pydicom has found out how it is written.
        dataset.file_meta.TransferSyntaxUID = (
            ExplicitVRBigEndian if not dataset.is_little_endian else ImplicitVRLittleEndian if dataset.is_implicit_VR else ExplicitVRLittleEndian)
    if dataset.file_meta.TransferSyntaxUID == ExplicitVRBigEndian and dataset.BitsAllocated == 8 and dataset["PixelData"].VR == "OW":
        # Two pixels in a big endian word change places (PS3.5 8.1.2); this version of pydicom leaves them so. Checked against dcmtk's dcmconv.
        dataset.PixelData = numpy.frombuffer(dataset.PixelData, ">u2").astype("<u2").tobytes()
    frames = int(dataset.get("NumberOfFrames") or 1)
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax in HTJ2K:
        return numpy.stack([by_openjpeg(frame, dataset) for frame in generate_pixel_data_frame(dataset.PixelData, frames)])
    if syntax == DEFLATED_FRAMES:
        array = numpy.stack([inflate(frame, dataset) for frame in generate_pixel_data_frame(dataset.PixelData, frames)])
    elif syntax in JPEG_LS:
        # gdcm reads frames of several fragments wrongly where no offset table tells them apart.
        native = decompress(path, "dcmdjpls")
        if native.file_meta.TransferSyntaxUID in JPEG_LS and any(len(fragments) > 1 for fragments in generate_pixel_data(native.PixelData, frames)):
            raise ValueError("dcmtk refuses it, and gdcm cannot be trusted with it")
        array = native.pixel_array
    elif syntax in PROGRESSIVE_JPEG:
        array = decompress(path, "dcmdjpeg", "+cn").pixel_array
    else:
        array = dataset.pixel_array
    return array.reshape(frames, dataset.Rows, dataset.Columns, dataset.SamplesPerPixel)


if __name__ == "__main__":
    for source, target in zip(sys.argv[1::2], sys.argv[2::2]):
        samples = decode(source)
        if target.endswith(".raw"):
            samples.astype("<i4").tofile(target)
        else:
            numpy.save(target, samples)
