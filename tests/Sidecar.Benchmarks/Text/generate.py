#!/usr/bin/python3
"""Writes DICOM images with burned-in text, and without, together with the truth: the pixels of each line's letters.

    generate.py DIR [--count 150] [--seed 1] [--studies]

DIR gets the files, ground_truth.json and negatives.csv, in the form that `sidecar-benchmarks text DIR` reads. The same seed writes the same files with the
same fonts (Debian: fonts-dejavu-core, fonts-liberation, fonts-freefont-ttf, fonts-wqy-microhei). With --studies, DIR/studies gets a CT of 500 slices without text, one
with a banner on each slice, and an ultrasound loop of 200 frames. All names are invented.
"""
import argparse
import base64
import csv
import json
import os

import numpy as np
import pydicom
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

FONTS = [
    f"/usr/share/fonts/truetype/{name}.ttf"
    for name in (
        "dejavu/DejaVuSans", "dejavu/DejaVuSans-Bold", "dejavu/DejaVuSansMono", "dejavu/DejaVuSerif", "liberation/LiberationSans-Regular",
        "liberation/LiberationMono-Regular", "liberation/LiberationSansNarrow-Regular", "liberation/LiberationSerif-Regular", "freefont/FreeMono", "freefont/FreeSansBold",
    )
]
CJK = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"
FAMILY = "Muster Doe Scrobola Weiss Ibrahim Okafor Lindqvist Garcia Novak Papadopoulou Yilmaz Tanaka Berg Stiles".split()
GIVEN = "John Erika Lura Amina Chidi Sven Maria Jan Eleni Mehmet Hanako Piet Anna Jo".split()
CYRILLIC = ["Иванов Пётр", "Дата рожд. 12.05.1942", "Городская больница 4", "Смирнова Ольга"]
GREEK = ["Παπαδόπουλος Νίκος", "Γενικό Νοσοκομείο", "Ημ. γέννησης 12/05/1942"]
HAN = ["山田太郎 1942年5月12日", "患者ID 4711-0815", "王小明 男 62岁", "東京中央病院 放射線科"]
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def line_of_text(r):
    family, given = r.choice(FAMILY), r.choice(GIVEN)
    year, month, day = r.integers(1925, 2020), r.integers(1, 13), r.integers(1, 29)
    return str(r.choice([
        f"{family.upper()}^{given.upper()}", f"{family}, {given}", f"Name: {given} {family}", f"ID: {r.integers(10**5, 10**9)}", f"MRN {r.integers(1000, 99999)}-{r.integers(10, 99)}",
        f"DOB: {day:02}/{month:02}/{year}", f"{day:02}.{month:02}.{year}", f"{year} {MONTHS[month - 1]} {day}", f"{day}{MONTHS[month - 1]}{year % 100:02} {r.integers(0, 24):02}:{r.integers(0, 60):02}:{r.integers(0, 60):02}",
        f"Acc {r.integers(10**6, 10**8)}", "St. Mary Hospital", "Klinikum Nord, Radiologie", f"Dr. {r.choice(FAMILY)}", f"Age: {r.integers(1, 99)} {r.choice(['M', 'F'])}", f"{family.upper()} {given[0]}.",
    ]))


# --- pictures without text: (pixels as float 0…1, mask of plain surroundings) ---

def smooth(r, height, width, cell):
    small = r.random((height // cell + 2, width // cell + 2))
    return np.asarray(Image.fromarray((small * 255).astype(np.uint8)).resize((width, height), Image.BICUBIC), float) / 255


def ct(r, size=512):
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    body = ((x / 0.4) ** 2 + (y / 0.32) ** 2) < 1
    picture = np.where(body, 0.45 + 0.12 * smooth(r, size, size, 24), 0.02)
    for _ in range(8):
        cx, cy, a, b = r.uniform(-0.25, 0.25), r.uniform(-0.2, 0.2), r.uniform(0.02, 0.1), r.uniform(0.02, 0.1)
        picture = np.where(((x - cx) / a) ** 2 + ((y - cy) / b) ** 2 < 1, r.choice([0.1, 0.5, 0.62, 0.9]), picture)
    return np.clip(picture + r.normal(0, 0.012, picture.shape), 0, 1)


def mr(r, size=256):
    return np.clip(ct(r, size) * (0.6 + 0.6 * smooth(r, size, size, 90)) + np.abs(r.normal(0, 0.02, (size, size))), 0, 1)


def ultrasound(r, height=600, width=800):
    y, x = np.mgrid[0:height, 0:width]
    radius, angle = np.hypot(y + 60, x - width / 2), np.arctan2(x - width / 2, y + 60)
    fan = (np.abs(angle) < 0.7) & (radius > 90) & (radius < height * 0.95)
    speckle = r.rayleigh(0.16, (height, width)) * (0.5 + smooth(r, height, width, 60))
    return np.where(fan, np.clip(speckle, 0, 1), 0.0)


def radiograph(r, height=1024, width=840):
    picture = 0.25 + 0.6 * smooth(r, height, width, 220)
    y, x = np.mgrid[0:height, 0:width]
    for i in range(7):
        curve = height * (0.15 + 0.11 * i) + 60 * np.cos((x - width / 2) / width * 3)
        picture += 0.1 * np.exp(-(((y - curve) / 9) ** 2))
    return np.clip(picture + r.normal(0, 0.01, picture.shape), 0, 1)


def screenshot(r, height=480, width=640):
    picture = np.full((height, width), r.choice([0.0, 0.12, 0.25]))
    inner = ct(r, 384)
    picture[48:432, 128:512] = inner
    return picture


# --- decoys: look like text to some, and are none ---

def decoy(r, picture):
    canvas = Image.fromarray((picture * 255).astype(np.uint8))
    draw, (width, height) = ImageDraw.Draw(canvas), canvas.size
    kind = r.choice(["ruler", "ecg", "grid", "roi", "bars", "none", "dashes", "wedge"])
    if kind == "ruler":
        at = width - 14 if r.random() < 0.5 else 8
        for i, y in enumerate(range(height // 6, height * 5 // 6, max(6, height // 60))):
            draw.line([(at, y), (at + (10 if i % 5 == 0 else 5), y)], fill=220)
        draw.line([(at, height // 6), (at, height * 5 // 6)], fill=220)
    elif kind == "ecg":
        points, base = [], height - 40
        for x in range(0, width, 2):
            beat = x % 90
            points.append((x, base - {20: 4, 40: -5, 42: 28, 44: -9, 60: 8}.get(beat, 0) + r.normal(0, 0.6)))
        draw.line(points, fill=230)
    elif kind == "grid":
        for at in range(0, max(width, height), 40):
            draw.line([(at, 0), (at, height)], fill=90)
            draw.line([(0, at), (width, at)], fill=90)
    elif kind == "roi":
        x, y = int(width * 0.4), int(height * 0.4)
        draw.ellipse([x, y, x + 60, y + 40], outline=255)
        draw.line([(x - 40, y - 10), (x + 90, y + 70)], fill=255)
    elif kind == "bars":
        for i in range(16):
            draw.rectangle([width - 26, 40 + i * 12, width - 12, 51 + i * 12], fill=255 - i * 16)
    elif kind == "dashes":
        for x in range(10, width - 10, 14):
            draw.line([(x, height // 2), (x + 7, height // 2)], fill=255)
    elif kind == "wedge":
        draw.polygon([(20, 20), (44, 20), (32, 40)], outline=255)
        draw.line([(width - 40, 30), (width - 20, 30)], fill=255)
        draw.line([(width - 30, 20), (width - 30, 40)], fill=255)
    return np.maximum(np.asarray(canvas, float) / 255, 0) if kind != "none" else picture


# --- text ---

def letters(text, path, size, smooth_edges, turn):
    """Coverage of the letters, 0…1, cut tightly."""
    font = ImageFont.truetype(path, size)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("L", (right - left + 8, bottom - top + 8), 0)
    draw = ImageDraw.Draw(image)
    draw.fontmode = "L" if smooth_edges else "1"
    draw.text((4 - left, 4 - top), text, fill=255, font=font)
    ink = np.rot90(np.asarray(image, float) / 255, turn)
    rows, columns = np.where(ink.max(1) > 0.4)[0], np.where(ink.max(0) > 0.4)[0]
    return ink[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]


def truth(text, tags, x, y, ink, frames=None):
    mask = ink > 0.4
    box = {"text": text, "x": int(x), "y": int(y), "w": int(mask.shape[1]), "h": int(mask.shape[0]), "tags": tags, "ink": base64.b64encode(np.packbits(mask).tobytes()).decode()}
    if frames is not None:
        box["frames"] = frames
    return box


class Texts:
    """Lines of text on one picture, none over another."""

    def __init__(self, r, height, width):
        self.r, self.height, self.width, self.taken = r, height, width, []

    def place(self, ink, anywhere):
        height, width = ink.shape
        for _ in range(60):
            if anywhere:
                x, y = self.r.integers(2, max(3, self.width - width - 2)), self.r.integers(2, max(3, self.height - height - 2))
            else:
                x = 6 if self.r.random() < 0.5 else self.width - width - 6
                y = int(self.r.choice([6, self.height - height - 6])) + int(self.r.integers(-2, 9)) * (height + 8)
            x, y = int(x), int(y)
            fits = x >= 2 and y >= 2 and x + width <= self.width - 2 and y + height <= self.height - 2
            if fits and not any(x < X + W + 12 and X < x + width + 12 and y < Y + H + 6 and Y < y + height + 6 for X, Y, W, H in self.taken):
                self.taken.append((x, y, width, height))
                return x, y
        return None


def burn(picture, x, y, ink, value):
    target = picture[y:y + ink.shape[0], x:x + ink.shape[1]]
    target[:] = target * (1 - ink) + value * ink


def styled_lines(r, picture, style, cjk):
    """Burns two to five lines of one style. Answers their truth."""
    texts, boxes = Texts(r, *picture.shape), []
    path = FONTS[int(r.integers(len(FONTS)))]
    if not os.path.exists(path):
        path = FONTS[0]
    small = min(picture.shape) < 300
    for _ in range(int(r.integers(2, 6))):
        size, turn, words = int(r.integers(12, 19 if small else 29)), 0, line_of_text(r)
        font = path
        if style == "small":
            size = int(r.integers(9, 12))  # capitals of 7 to 8 pixels
        elif style == "large":
            size = int(r.integers(30, 31 + min(30, picture.shape[0] // 20)))
        elif style == "rotated":
            turn = int(r.integers(1, 4))
        elif style == "cyrillic":
            words, font = str(r.choice(CYRILLIC)), FONTS[int(r.integers(4))]
        elif style == "greek":
            words, font = str(r.choice(GREEK)), FONTS[int(r.integers(4))]
        elif style == "cjk":
            words, font, size = str(r.choice(HAN)), cjk, max(size, 14)
        ink = letters(words, font, size, r.random() < 0.6, turn)
        place = texts.place(ink, style in ("over", "dim"))
        if place is None:
            continue
        x, y = place
        under = picture[y:y + ink.shape[0], x:x + ink.shape[1]]
        if style == "dim":
            spread = float(under.std())
            value = float(np.clip(under.mean() * 1.3 + 0.03 + 1.5 * spread, 0, 1))
        elif style == "inverted":
            picture[max(0, y - 4):y + ink.shape[0] + 4, max(0, x - 4):x + ink.shape[1] + 4] = 0.92
            value = 0.05
        elif style == "over":
            value = 1.0 if under.mean() < 0.6 else 0.0
        else:
            value = float(r.choice([1.0, 0.85, 0.7]))
        burn(picture, x, y, ink, value)
        boxes.append(truth(words, [style], x, y, ink))
    return boxes


# --- DICOM ---

def instance(r, modality, sop_class):
    meta, data = FileMetaDataset(), Dataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = data.SOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = f"1.2.826.0.1.3680043.10.1.{r.integers(1, 10**15)}"
    data.StudyInstanceUID, data.SeriesInstanceUID = f"1.2.826.0.1.3680043.10.2.{r.integers(1, 10**15)}", f"1.2.826.0.1.3680043.10.3.{r.integers(1, 10**15)}"
    data.PatientName, data.PatientID, data.Modality, data.StudyDate = "Muster^Erika", "4711", modality, "20181023"
    data.file_meta = meta
    return data


def grey(data, picture, bits, signed=False, inverted=False, window=None):
    """Stored values from a picture of 0…1."""
    top = (1 << bits) - 1
    values = np.round((1 - picture if inverted else picture) * top)
    if signed:
        values = np.round(picture * 3000) - 1024
        data.RescaleIntercept, data.RescaleSlope = "0", "1"
    data.Rows, data.Columns, data.SamplesPerPixel = picture.shape[-2], picture.shape[-1], 1
    data.PhotometricInterpretation = "MONOCHROME1" if inverted else "MONOCHROME2"
    data.BitsAllocated, data.BitsStored = (8, 8) if bits == 8 else (16, 16 if signed else bits)
    data.HighBit, data.PixelRepresentation = data.BitsStored - 1, int(signed)
    if window:
        data.WindowCenter, data.WindowWidth = [str(number) for number in window]
    if picture.ndim == 3:
        data.NumberOfFrames = picture.shape[0]
    data.PixelData = values.astype("u1" if bits == 8 else "<i2" if signed else "<u2").tobytes()


def colour(data, picture, tint, palette=False):
    rgb = np.stack([np.round(picture * 255)] * 3, -1)
    if tint is not None:
        mask, value = tint
        rgb[mask] = value
    data.Rows, data.Columns, data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = picture.shape[0], picture.shape[1], 8, 8, 7, 0
    if palette:
        image = Image.fromarray(rgb.astype("u1")).quantize(256)
        table = np.array(image.getpalette() + [0] * 768)[:768].reshape(256, 3)
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "PALETTE COLOR"
        for i, name in enumerate(("Red", "Green", "Blue")):
            setattr(data, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
            setattr(data, f"{name}PaletteColorLookupTableData", (table[:, i] * 257).astype("<u2").tobytes())
        data.PixelData = np.asarray(image).tobytes()
    else:
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "RGB", 0
        data.PixelData = rgb.astype("u1").tobytes()
    if len(data.PixelData) % 2:
        data.PixelData += b"\0"


CT, MR, US, US_MULTI, DX, SC = ("1.2.840.10008.5.1.4.1.1." + last for last in ("2", "4", "6.1", "3.1", "1.1", "7"))
STYLES = ["plain", "plain", "small", "dim", "inverted", "rotated", "over", "large", "cyrillic", "greek", "cjk", "palette", "colour", "window", "cine", "some-frames", "moving"]


def with_text(r, style, cjk):
    """One data set with text, and its truth."""
    kind = r.choice(["ct", "mr", "us", "dx", "sc"])
    if style in ("palette", "colour"):
        picture = ultrasound(r, 480, 640) if r.random() < 0.6 else screenshot(r)
        data, boxes = instance(r, "US", US), styled_lines(r, picture, "plain", cjk)
        for box in boxes:
            box["tags"] = [style]
        tint = None
        if style == "colour":
            mask = np.zeros(picture.shape, bool)
            for box in boxes:
                mask[box["y"]:box["y"] + box["h"], box["x"]:box["x"] + box["w"]] |= unpack(box)
            tint = mask, [(255, 255, 0), (0, 255, 0), (0, 200, 255), (255, 128, 0)][int(r.integers(4))]
        colour(data, picture, tint, palette=style == "palette")
        return data, boxes
    if style in ("cine", "some-frames", "moving"):
        return loop(r, style)
    if style == "window":
        # Outside of the window that the header asks for: invisible there, plain in the stored values.
        picture = ct(r) * 0.5
        data, boxes = instance(r, "CT", CT), styled_lines(r, picture, "plain", cjk)
        for box in boxes:
            box["tags"] = [style]
            place = picture[box["y"]:box["y"] + box["h"], box["x"]:box["x"] + box["w"]]
            place[unpack(box)] = 0.75
        picture = np.where((picture > 0.45) & (picture < 0.7), 0.45, picture)
        back = picture.copy()
        for box in boxes:
            back[box["y"] - 4:box["y"] + box["h"] + 4, box["x"] - 4:box["x"] + box["w"] + 4] = 0.6
            place = back[box["y"]:box["y"] + box["h"], box["x"]:box["x"] + box["w"]]
            place[unpack(box)] = 0.75
        grey(data, back, 16, signed=True, window=(-200, 900))
        return data, boxes
    if kind == "ct":
        picture, data = ct(r), instance(r, "CT", CT)
        boxes = styled_lines(r, picture, style, cjk)
        grey(data, picture, 16, signed=True, window=(400, 2800))
    elif kind == "mr":
        picture, data = mr(r, int(r.choice([256, 320, 384]))), instance(r, "MR", MR)
        boxes = styled_lines(r, picture, style, cjk)
        grey(data, picture, 12)
    elif kind == "us":
        picture, data = ultrasound(r), instance(r, "US", US)
        boxes = styled_lines(r, picture, style, cjk)
        grey(data, picture, 8)
    elif kind == "dx":
        picture, data = radiograph(r), instance(r, "DX", DX)
        boxes = styled_lines(r, picture, style, cjk)
        grey(data, picture, 12, inverted=r.random() < 0.5)
    else:
        picture, data = screenshot(r), instance(r, "OT", SC)
        boxes = styled_lines(r, picture, style, cjk)
        colour(data, picture, None)
    return data, boxes


def unpack(box):
    bits = np.unpackbits(np.frombuffer(base64.b64decode(box["ink"]), np.uint8))[:box["w"] * box["h"]]
    return bits.reshape(box["h"], box["w"]).astype(bool)


def loop(r, style, count=12, height=480, width=640):
    frames = np.stack([ultrasound(r, height, width) for _ in range(count)])
    ink = letters(line_of_text(r), FONTS[int(r.integers(3))], int(r.integers(13, 22)), True, 0)
    data, boxes = instance(r, "US", US_MULTI), []
    if style == "cine":
        for frame in frames:
            burn(frame, 12, 14, ink, 0.95)
        boxes.append(truth("", [style], 12, 14, ink))
    elif style == "some-frames":
        first = int(r.integers(0, count - 2))
        chosen = list(range(first, min(count, first + int(r.integers(1, 4)))))
        for i in chosen:
            burn(frames[i], 12, height - 40, ink, 0.95)
        boxes.append(truth("", [style], 12, height - 40, ink, [i + 1 for i in chosen]))
    else:
        for i, frame in enumerate(frames):
            x, y = 10 + i * int((width - ink.shape[1] - 30) / count), 14 + i * 3
            burn(frame, x, y, ink, 0.95)
            boxes.append(truth("", [style], x, y, ink, [i + 1]))
    grey(data, frames, 8)
    return data, boxes


def without_text(r):
    kind = r.choice(["ct", "mr", "us", "dx", "sc"])
    picture = {"ct": ct, "mr": mr, "us": ultrasound, "dx": radiograph, "sc": screenshot}[kind](r)
    picture = decoy(r, picture)
    data = instance(r, {"ct": "CT", "mr": "MR", "us": "US", "dx": "DX", "sc": "OT"}[kind], {"ct": CT, "mr": MR, "us": US, "dx": DX, "sc": SC}[kind])
    if kind == "ct":
        grey(data, picture, 16, signed=True, window=(400, 2800))
    elif kind == "sc":
        colour(data, picture, None)
    else:
        grey(data, picture, 8 if kind == "us" else 12)
    return data, kind


def save(data, path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    data.is_little_endian, data.is_implicit_VR = True, False
    pydicom.dcmwrite(path, data, write_like_original=False)


def write_set(directory, count, seed):
    cjk = CJK if os.path.exists(CJK) else None
    styles = [style for style in STYLES if style != "cjk" or cjk]
    if not cjk:
        print(f"No Chinese or Japanese text: {CJK} is missing (Debian package fonts-wqy-microhei).")
    boxes, negatives = {}, []
    for i in range(count):
        r = np.random.default_rng([seed, i])
        style = styles[i % len(styles)]
        data, found = with_text(r, style, cjk)
        name = f"text/{i:04}-{style}.dcm"
        save(data, os.path.join(directory, name))
        boxes[name] = {"source": "generated", "boxes": found}
    for i in range(count):
        data, kind = without_text(np.random.default_rng([seed, 10**6 + i]))
        name = f"clean/{i:04}-{kind}.dcm"
        save(data, os.path.join(directory, name))
        negatives.append(["generated", name, 1, data.Modality, "N"])
    with open(os.path.join(directory, "ground_truth.json"), "w", encoding="utf-8") as file:
        json.dump(boxes, file, ensure_ascii=False)
    with open(os.path.join(directory, "negatives.csv"), "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["class", "file", "frames", "modality", "burned_in_text"], *negatives])


def write_studies(directory, seed):
    r = np.random.default_rng([seed, 7])
    banner = letters("MUSTER^ERIKA  4711  12.05.1942", FONTS[0], 16, True, 0)
    base = ct(r)
    for name, text in (("ct-clean", False), ("ct-banner", True)):
        common = instance(r, "CT", CT)
        for i in range(500):
            picture = np.clip(np.roll(base, (i // 7, i // 11), (0, 1)) + r.normal(0, 0.01, base.shape), 0, 1)
            if text:
                burn(picture, 8, 10, banner, 1.0)
            data = instance(r, "CT", CT)
            data.StudyInstanceUID, data.SeriesInstanceUID, data.InstanceNumber = common.StudyInstanceUID, common.SeriesInstanceUID, i + 1
            grey(data, picture, 16, signed=True, window=(400, 2800))
            save(data, os.path.join(directory, "studies", name, f"{i:04}.dcm"))
    data = instance(r, "US", US_MULTI)
    frames = np.stack([np.roll(still, i % 5, 0) for i, still in enumerate([ultrasound(r)] * 200)]) + r.normal(0, 0.02, (200, 600, 800)).astype("f4")
    frames = np.clip(frames, 0, 1)
    for frame in frames:
        burn(frame, 12, 14, banner, 0.95)
    grey(data, frames, 8)
    save(data, os.path.join(directory, "studies", "us-loop", "loop.dcm"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("--count", type=int, default=153)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--studies", action="store_true")
    options = parser.parse_args()
    write_set(options.directory, options.count, options.seed)
    if options.studies:
        write_studies(options.directory, options.seed)
