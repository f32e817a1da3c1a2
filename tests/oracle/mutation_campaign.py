#!/usr/bin/python3
"""Damages files of every transfer syntax, masks them with the command line, and judges what was masked with other decoders.

    mutation_campaign.py SIDECAR [--files 10000] [--seed 1] [--also DIRECTORY] [--keep DIRECTORY]

SIDECAR is the executable; its codecs run in worker processes as always. The same seed damages the same files the same way. Files made here are small, in
every syntax that pydicom, dcmtk, gdcm and OpenJPEG's tool can write; --also adds those of a folder (up to 200 KB each), such as real ones. Prints a
summary as JSON; exit status 0 if there was no crash, no stall, no file without a line and no result that its judge found wrong. --keep saves the
inputs of all that went wrong. Needs the packages that the tests need.
"""
import argparse
import collections
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import warnings
import zlib

import numpy
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import compare  # noqa: E402
import compress  # noqa: E402
import decode  # noqa: E402

BATCH = 500
REGION = (3, 5, 17, 9)
# The deadline of one frame (10 s of work, four times that on a busy machine) and what a batch needs to start.
STALL_SECONDS = 60
JUDGE_SECONDS = 60
MAX_FILE_BYTES = 200_000
FAULT = "fault of this software"


def native(bits, signed, photometric, frames=2):
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7.2"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = "2.25.1"
    dataset.is_little_endian, dataset.is_implicit_VR = True, False
    dataset.PatientName, dataset.PatientID, dataset.Modality = "TEST^CAMPAIGN", "1", "OT"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "2.25.2", "2.25.3"
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = 40, 48, frames
    dataset.SamplesPerPixel = 1 if photometric.startswith("MONO") else 3
    dataset.PhotometricInterpretation = photometric
    if dataset.SamplesPerPixel == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = 8 if bits <= 8 else 16
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = bits, bits - 1, signed
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2.3", "2.25.7"
    dataset.ReferencedImageSequence = Sequence([item])
    dataset.add_new(0x00091001, "LO", "private")
    icon = Dataset()
    icon.SamplesPerPixel, icon.PhotometricInterpretation, icon.Rows, icon.Columns = 1, "MONOCHROME2", 4, 4
    icon.BitsAllocated, icon.BitsStored, icon.HighBit, icon.PixelRepresentation, icon.PixelData = 8, 8, 7, 0, bytes(range(16))
    icon["PixelData"].VR = "OB"
    dataset.IconImageSequence = Sequence([icon])
    dataset.add_new(0x60000010, "US", 40)
    dataset.add_new(0x60000011, "US", 48)
    dataset.add_new(0x60000050, "SS", [1, 1])
    dataset.add_new(0x60003000, "OW", bytes([0xA5] * 240))
    y, x = numpy.mgrid[0:40, 0:48]
    noise = numpy.random.default_rng(bits + signed).integers(0, 12, (frames, 40, 48, dataset.SamplesPerPixel))
    samples = (numpy.stack([x * 3 + y * 2] * dataset.SamplesPerPixel, -1) + noise) % (1 << (bits - signed))
    dataset.PixelData = samples.astype(f"<u{dataset.BitsAllocated // 8}").tobytes()
    dataset["PixelData"].VR = "OB" if bits <= 8 else "OW"
    return dataset


def make_seeds(folder):
    """Sound files, in every syntax for which there is an encoder here."""
    grey8, grey12, signed, colour = native(8, 0, "MONOCHROME2"), native(12, 0, "MONOCHROME1"), native(16, 1, "MONOCHROME2"), native(8, 0, "RGB")
    for name, dataset in (("grey8", grey8), ("grey12", grey12), ("signed", signed), ("colour", colour)):
        dataset.save_as(os.path.join(folder, f"{name}.dcm"), write_like_original=False)
    ways = {
        "dcmconv +ti": "grey8 colour", "dcmconv +tb": "grey12 colour", "dcmconv +td": "grey8 signed", "dcmconv +te -e": "grey8", "dcmcrle": "grey8 signed colour",
        "dcmcjpeg +eb +un": "grey8 colour", "dcmcjpeg +eb +s2": "colour", "dcmcjpeg +ee": "grey12", "dcmcjpeg +es": "grey8", "dcmcjpeg +ep": "colour",
        "dcmcjpeg +el": "grey12", "dcmcjpeg +e1": "grey8 signed colour", "dcmcjpls": "grey8 signed colour", "dcmcjpls +en +md 2": "grey8",
        "opj_compress -mct 0 -n 3": "grey8 signed", "opj_compress -mct 1 -n 3": "colour", "opj_compress -mct 1 -n 3 -I -r 3": "colour",
    }
    for way, names in ways.items():
        for name in names.split():
            source = os.path.join(folder, f"{name}.dcm")
            target = os.path.join(folder, f"{name} {way.replace(' ', '')}.dcm")
            program, *options = way.split()
            if program == "opj_compress":
                compress.compress_frames(source, options, target)
            else:
                compress.run(program, *options, source, target)
    deflated = native(8, 0, "MONOCHROME2")
    frames = [deflated.PixelData[start:start + 1920] for start in (0, 1920)]
    packers = [zlib.compressobj(wbits=-15) for _ in frames]
    deflated.PixelData = encapsulate([packer.compress(frame) + packer.flush() for packer, frame in zip(packers, frames)])
    deflated["PixelData"].is_undefined_length = True
    # This version of pydicom does not know the transfer syntax; a UID of the same length is replaced.
    deflated.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.50"
    path = os.path.join(folder, "grey8 deflated frames.dcm")
    deflated.save_as(path, write_like_original=False)
    with open(path, "rb") as file:
        data = file.read()
    with open(path, "wb") as file:
        file.write(data.replace(b"1.2.840.10008.1.2.4.50", b"1.2.840.10008.1.2.8.1\0", 1))


def damage(data, rng):
    """One to six wounds: bytes changed, numbers made extreme, bytes lost or doubled, the end cut off. Headers are hit more than their size deserves."""
    data = bytearray(data)
    pixels = max(data.rfind(b"\xe0\x7f\x10\x00"), 132)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        place = rng.random()
        low, high = (132, pixels) if place < 0.35 else (pixels, pixels + 700) if place < 0.75 else (pixels, len(data))
        low = min(low, len(data) - 1)
        at = rng.randrange(low, max(low + 1, min(high, len(data))))
        kind = rng.random()
        if kind < 0.45:
            data[at] = rng.randrange(256)
        elif kind < 0.6:
            data[at] ^= 1 << rng.randrange(8)
        elif kind < 0.75:
            width = rng.choice((2, 4))
            data[at:at + width] = rng.choice((b"\x00", b"\xff", b"\x7f", b"\x80"))[:1] * width
        elif kind < 0.85:
            del data[at:at + rng.randrange(1, 60)]
        elif kind < 0.95:
            data[at:at] = data[at:at + rng.randrange(1, 60)]
        else:
            del data[max(at, 200):]
    return bytes(data)


def mask(sidecar, folder, out):
    """The line of each file by its name, the longest pause between two, and what went wrong with the program as a whole."""
    command = [sidecar, "mask", folder, "--region", ",".join(map(str, REGION)), "--out", out, "--results", "-"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    last = [time.monotonic()]
    stopped = []

    def watch():
        while child.poll() is None:
            if time.monotonic() - last[0] > STALL_SECONDS:
                stopped.append("stall")
                child.kill()
            time.sleep(0.5)

    threading.Thread(target=watch, daemon=True).start()
    lines, pause = {}, 0.0
    for line in child.stdout:
        pause, last[0] = max(pause, time.monotonic() - last[0]), time.monotonic()
        line = json.loads(line)
        lines[line["file"]] = line
    status = child.wait()
    return lines, pause, stopped[0] if stopped else None if status in (0, 1) else f"exit status {status}"


def judge(case):
    """None where the result is right, a sentence where it is wrong; an exception where the judge cannot read the damaged file."""
    warnings.simplefilter("ignore")
    syntax = pydicom.dcmread(case["original"], force=True, stop_before_pixels=True).file_meta.get("TransferSyntaxUID")
    if syntax in decode.JPEG_LS + decode.JPEG and not decode.dcmtk_reads(case["original"], syntax):
        raise ValueError("dcmtk refuses it")
    old = decode.decode(case["original"])
    try:
        new = decode.decode(case["masked"])
    except Exception as reason:
        return f"the original can be decoded, but not the result: {reason}"
    if old.shape != new.shape:
        return f"the shape changed from {old.shape} to {new.shape}"
    blend = compare.BLEND if case["lossyJpeg"] else 0
    inside, around = numpy.zeros(old.shape[:3], bool), numpy.zeros(old.shape[:3], bool)
    for x, y, width, height in case["regions"]:
        inside[:, y + blend:y + height - blend, x + blend:x + width - blend] = True
        around[:, max(0, y - blend):y + height + blend, max(0, x - blend):x + width + blend] = True
    # Damage can make a floating-point sample NaN, which differs from itself.
    changed = (old != new) & ~((old != old) & (new != new))
    if changed[~around].any():
        return f"{int(changed[~around].sum())} samples outside of the regions changed"
    for frame in range(new.shape[0]):
        if inside[frame].any() and numpy.ptp(new[frame][inside[frame]].astype(numpy.int64), axis=0).max() > 0:
            return f"frame {frame + 1} is not uniform inside of the regions"
    before, after = pydicom.dcmread(case["original"], force=True), pydicom.dcmread(case["masked"], force=True)
    changed, added, removed = compare.differing(before, after)
    odd = [name for name in changed + added if name not in compare.CHANGEABLE | {"PhotometricInterpretation", "OverlayData", "(6000,3000)"}]
    odd += [name for name in removed if name not in compare.REMOVABLE]
    return f"attributes changed: {odd}" if odd else None


def judge_all(cases):
    """Judges in child processes, each until it crashes or is late; that case counts as unreadable."""
    verdicts = []
    while len(verdicts) < len(cases):
        text = "".join(json.dumps(case) + "\n" for case in cases[len(verdicts):])
        child = subprocess.Popen([sys.executable, os.path.abspath(__file__), "--judge"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        late = threading.Timer(JUDGE_SECONDS, child.kill)
        late.start()
        answers, _ = child.communicate(text)
        late.cancel()
        verdicts += [json.loads(line) for line in answers.splitlines() if line.endswith("}")]
        if len(verdicts) < len(cases):
            verdicts.append({"unreadable": "the judge's decoder crashed or was late"})
    return verdicts


def answer_cases():
    for line in sys.stdin:
        try:
            verdict = {"wrong": judge(json.loads(line))}
        except Exception as reason:
            verdict = {"unreadable": f"{type(reason).__name__}"}
        print(json.dumps(verdict), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sidecar")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--also")
    parser.add_argument("--keep")
    arguments = parser.parse_args()
    counts, syntaxes, failures, longest = collections.Counter(), collections.Counter(), [], 0.0
    with tempfile.TemporaryDirectory() as work:
        seeds = os.path.join(work, "seeds")
        os.mkdir(seeds)
        make_seeds(seeds)
        paths = [os.path.join(seeds, name) for name in sorted(os.listdir(seeds))]
        if arguments.also:
            found = [os.path.join(folder, name) for folder, _, names in os.walk(arguments.also) for name in names]
            paths += sorted(path for path in found if os.path.getsize(path) <= MAX_FILE_BYTES and open(path, "rb").read(132).endswith(b"DICM"))
        sound = [open(path, "rb").read() for path in paths]
        for first in range(0, arguments.files, BATCH):
            folder, out = os.path.join(work, "in"), os.path.join(work, "out")
            os.mkdir(folder)
            names = [f"{number}.dcm" for number in range(first, min(first + BATCH, arguments.files))]
            for number, name in enumerate(names, first):
                rng = random.Random(f"{arguments.seed}/{number}")
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(damage(sound[rng.randrange(len(sound))], rng))
            lines, pause, trouble = mask(arguments.sidecar, folder, out)
            longest = max(longest, pause)
            bad = {name: trouble or "no line" for name in names if name not in lines}
            cases = []
            for name, line in lines.items():
                counts[line["status"]] += 1
                if FAULT in (line["reason"] or ""):
                    bad[name] = line["reason"]
                if "did not pass its check" in (line["reason"] or ""):
                    counts["refused by the proof"] += 1
                if "worker was lost" in (line["reason"] or ""):
                    counts["lost a worker"] += 1
                if (line["status"] == "masked") != os.path.exists(os.path.join(out, name)):
                    bad[name] = "the output does not fit its line"
                if line["status"] == "masked":
                    regions = [[region[side] for side in ("x", "y", "width", "height")] for region in line["regions"]]
                    syntaxes[line["transferSyntax"]] += 1
                    cases.append({"original": os.path.join(folder, name), "masked": os.path.join(out, name), "regions": regions,
                                  "lossyJpeg": line["transferSyntax"] in compare.LOSSY_JPEG})
            for case, verdict in zip(cases, judge_all(cases)):
                counts["unreadable for the judge" if "unreadable" in verdict else "judged"] += 1
                if verdict.get("wrong"):
                    bad[os.path.basename(case["original"])] = verdict["wrong"]
            for name, reason in bad.items():
                failures.append({"file": name, "reason": reason})
                if arguments.keep:
                    os.makedirs(arguments.keep, exist_ok=True)
                    shutil.copy(os.path.join(folder, name), arguments.keep)
            shutil.rmtree(folder)
            shutil.rmtree(out, ignore_errors=True)
            print(f"{first + len(names)} of {arguments.files}: {dict(counts)}, {len(failures)} wrong", file=sys.stderr, flush=True)
    print(json.dumps({"files": arguments.files, "seed": arguments.seed, "sound files": len(sound), "outcomes": dict(counts),
                      "masked by transfer syntax": dict(sorted(syntaxes.items())), "longest pause in seconds": round(longest, 1), "wrong": failures}, indent=1))
    return 1 if failures else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--judge"]:
        answer_cases()
    else:
        sys.exit(main())
