#!/usr/bin/python3
"""Decodes the pixels of a DICOM file with pydicom (or gdcm, for syntaxes pydicom leaves to it), not with the code under test.

    decode.py FILE OUT.npy [FILE OUT.npy ...]   writes arrays (frames, rows, columns, samples) of the decoder's own type
    decode.py FILE -                            writes the same samples to standard output as 32-bit little endian numbers

Run it as a child process with a time limit: decoders crash and stall on damaged files.
"""
import sys
import warnings

import numpy
import pydicom


def decode(path):
    """Samples as stored, shaped (frames, rows, columns, samples); planes interleaved, 4:2:2 chroma repeated."""
    warnings.simplefilter("ignore")
    dataset = pydicom.dcmread(path, force=True)
    if "TransferSyntaxUID" not in dataset.file_meta:
        raise ValueError("no TransferSyntaxUID")
    array = dataset.pixel_array
    frames = int(dataset.get("NumberOfFrames") or 1)
    return array.reshape(frames, dataset.Rows, dataset.Columns, dataset.SamplesPerPixel)


if __name__ == "__main__":
    for source, target in zip(sys.argv[1::2], sys.argv[2::2]):
        samples = decode(source)
        if target == "-":
            sys.stdout.buffer.write(samples.astype("<i4").tobytes())
        else:
            numpy.save(target, samples)
