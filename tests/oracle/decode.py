#!/usr/bin/python3
"""Decodes the pixels of a DICOM file with pydicom (or gdcm, for syntaxes pydicom leaves to it), not with the code under test.

    decode.py FILE OUT.npy [FILE OUT.npy ...]   writes arrays (frames, rows, columns, samples) of the decoder's own type
    decode.py FILE OUT.raw [FILE OUT.raw ...]   writes the same samples as 32-bit little endian numbers

Run it as a child process with a time limit: decoders crash and stall on damaged files.
"""
import sys
import warnings

import numpy
import pydicom
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian


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
    array = dataset.pixel_array
    frames = int(dataset.get("NumberOfFrames") or 1)
    return array.reshape(frames, dataset.Rows, dataset.Columns, dataset.SamplesPerPixel)


if __name__ == "__main__":
    for source, target in zip(sys.argv[1::2], sys.argv[2::2]):
        samples = decode(source)
        if target.endswith(".raw"):
            samples.astype("<i4").tofile(target)
        else:
            numpy.save(target, samples)
