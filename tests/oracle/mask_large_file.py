#!/usr/bin/python3
"""Masks a file larger than 2 GiB with `sidecar mask` and judges the result: every frame, the process's memory, and that a stop comes soon.

Usage: mask_large_file.py SIDECAR [FOLDER]     FOLDER needs 5 GB; without it, a temporary one. Takes about a minute.

The file is native, 2048 x 2048 x 16 bits x 270 frames (2.26 GB), each frame different. The reader is pydicom for the headers and numpy for the pixels.
"""
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time

import numpy
import pydicom

ROWS = COLUMNS = 2048
FRAMES = 270
X, Y, WIDTH, HEIGHT = 100, 60, 700, 90
MOST_RESIDENT_KB = 300 * 1024
MOST_SECONDS_TO_STOP = 3


def frame(number):
    """Unlike every other frame in every row; never 0, so that black cannot be met by chance."""
    row = numpy.arange(COLUMNS, dtype="<u2")[numpy.newaxis, :]
    column = numpy.arange(ROWS, dtype="<u2")[:, numpy.newaxis]
    return ((row * 31 + column * 17 + number * 101) & 0x7FFF) + 1


def build(path):
    data = pydicom.Dataset()
    data.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7.3"
    data.SOPInstanceUID = "2.25.123456789"
    data.Modality = "OT"
    data.Rows, data.Columns, data.NumberOfFrames = ROWS, COLUMNS, FRAMES
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 0
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.is_little_endian, data.is_implicit_VR = True, False
    data.save_as(path, write_like_original=False)
    with open(path, "ab") as file:
        file.write(bytes.fromhex("e07f1000") + b"OW\0\0" + (ROWS * COLUMNS * 2 * FRAMES).to_bytes(4, "little"))
        for number in range(FRAMES):
            file.write(frame(number).tobytes())


def pixels_of(path):
    with open(path, "rb") as file:
        pydicom.filereader.read_partial(file, lambda tag, vr, length: tag == 0x7FE00010)
        start = file.tell()
        head = file.read(12)
    assert head[:6] == bytes.fromhex("e07f1000") + b"OW" and int.from_bytes(head[8:], "little") == ROWS * COLUMNS * 2 * FRAMES, head
    return numpy.memmap(path, dtype="<u2", mode="r", offset=start + 12, shape=(FRAMES, ROWS, COLUMNS))


def judge(path):
    pixels = pixels_of(path)
    for number in range(FRAMES):
        expected = frame(number)
        expected[Y:Y + HEIGHT, X:X + WIDTH] = 0
        assert numpy.array_equal(pixels[number], expected), f"frame {number + 1} is not what it must be"


def main():
    sidecar = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        source, target = os.path.join(folder, "large.dcm"), os.path.join(folder, "out")
        build(source)
        call = [sidecar, "mask", source, "--region", f"{X},{Y},{WIDTH},{HEIGHT}", "--out", target]

        started = time.monotonic()
        run = subprocess.run(call, capture_output=True, text=True, timeout=600)
        seconds = time.monotonic() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        line = json.loads(run.stdout)
        assert run.returncode == 0 and line["status"] == "masked" and line["frames"] == FRAMES, line["reason"]
        judge(os.path.join(target, "large.dcm"))
        assert used.ru_maxrss <= MOST_RESIDENT_KB, f"{used.ru_maxrss} KB resident"
        os.remove(os.path.join(target, "large.dcm"))

        child = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(2)
        child.send_signal(signal.SIGINT)
        stopped = time.monotonic()
        assert child.wait(timeout=60) != 0, "it was to be stopped in its midst"
        to_stop = time.monotonic() - stopped
        assert os.listdir(target) == [], "a stopped call left something behind"
        assert to_stop <= MOST_SECONDS_TO_STOP, f"it took {to_stop:.1f} s to stop"

    print(f"{ROWS * COLUMNS * 2 * FRAMES / 1e9:.2f} GB masked in {seconds:.1f} s, {used.ru_utime + used.ru_stime:.1f} s of processor time, "
          f"{used.ru_maxrss // 1024} MB resident at most; all {FRAMES} frames right; stopped within {to_stop:.1f} s and left nothing.")


if __name__ == "__main__":
    main()
