#!/usr/bin/python3
"""Compresses native DICOM files with encoders that are not the code under test.

    compress.py SOURCE ENCODER TARGET [SOURCE ENCODER TARGET ...]

ENCODER is a command without its files: `dcmcjpls OPTIONS`, `gdcmconv OPTIONS`, or `opj_compress OPTIONS`, which is run on each frame and gets the
size, depth and sign from the header. Run it as a child process with a time limit.
"""
import os
import subprocess
import sys
import tempfile
import warnings

import numpy
import pydicom
from pydicom.encaps import encapsulate


def run(*command):
    subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL)


def compress_frames(source, options, target):
    """opj_compress knows no DICOM: frames go in as planes of raw samples, and come back as codestreams to encapsulate."""
    dataset = pydicom.dcmread(source)
    frames = int(dataset.get("NumberOfFrames") or 1)
    samples = dataset.pixel_array.reshape(frames, dataset.Rows, dataset.Columns, dataset.SamplesPerPixel)
    codestreams = []
    with tempfile.TemporaryDirectory() as folder:
        raw, coded = os.path.join(folder, "frame.rawl"), os.path.join(folder, "frame.j2k")
        for frame in samples:
            frame.transpose(2, 0, 1).astype("<i2" if dataset.BitsStored > 8 else "i1" if dataset.PixelRepresentation else "u1").tofile(raw)
            sign = "s" if dataset.PixelRepresentation else "u"
            run("opj_compress", "-i", raw, "-o", coded, "-F",
                f"{dataset.Columns},{dataset.Rows},{dataset.SamplesPerPixel},{dataset.BitsStored},{sign}", *options)
            with open(coded, "rb") as file:
                codestreams.append(file.read())
    dataset.PixelData = encapsulate(codestreams)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    lossy = "-I" in options
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.91" if lossy else "1.2.840.10008.1.2.4.90"
    if dataset.PhotometricInterpretation == "RGB" and options[options.index("-mct") + 1] == "1":
        dataset.PhotometricInterpretation = "YBR_ICT" if lossy else "YBR_RCT"
    dataset.save_as(target, write_like_original=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for source, encoder, target in zip(sys.argv[1::3], sys.argv[2::3], sys.argv[3::3]):
        program, *options = encoder.split()
        if program == "opj_compress":
            compress_frames(source, options, target)
        else:
            run(program, *options, source, target)
