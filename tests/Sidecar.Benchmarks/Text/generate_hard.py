#!/usr/bin/python3
"""Writes harder images than generate.py does, with text and without, in the same form.

    generate_hard.py DIR [--count 130] [--seed 1]

Text on speckle and noise, outlined as ultrasound machines write it, tiny in the corners of MR images, of the same brightness as what lies around it, on sheets
that were filmed askew, letter below letter, in other scripts, faint on bright ground, cut off by the edge of the image, small in large images, set wide, and text
that scrolls or shows in one frame only. Without text: photographs, test cards, line pairs, bar and QR codes, trabeculae, vessels, calipers and arrows, Doppler
spectra, combs and gratings. The same seed writes the same files with the same fonts. All names are invented.
"""
import argparse
import csv
import json
import os

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from generate import CT, DX, MR, SC, US, US_MULTI, CJK, Texts, burn, colour, ct, grey, instance, letters, line_of_text, mr, radiograph, save, smooth, truth, ultrasound, unpack

FONTS = [
    f"/usr/share/fonts/truetype/{name}.ttf"
    for name in (
        "dejavu/DejaVuSansCondensed", "dejavu/DejaVuSans-Oblique", "dejavu/DejaVuSansMono-Bold", "dejavu/DejaVuSerif-Italic", "dejavu/DejaVuSans-ExtraLight", "liberation/LiberationSans-Bold",
        "liberation/LiberationMono-Bold", "liberation/LiberationSerif-BoldItalic", "freefont/FreeSans", "freefont/FreeSerif", "freefont/FreeMonoBold",
    )
]
SCRIPTS = [
    ("freefont/FreeSerif", "अनिता शर्मा 12.05.1942"), ("freefont/FreeSerif", "สมชาย ใจดี อายุ 62 ปี"), ("dejavu/DejaVuSans", "محمد عبد الله ١٩٤٢"), ("dejavu/DejaVuSans", "יעל כהן 12.05.1942"),
    ("dejavu/DejaVuSans", "Հակոբյան Անի 1942"), ("dejavu/DejaVuSans", "მარიამი ბერიძე 1942"), ("freefont/FreeSerif", "অনিতা রায় ১৯৪২"), ("dejavu/DejaVuSans", "Ångström, Göran Łukasz Ž."),
]


def font(name):
    return f"/usr/share/fonts/truetype/{name}.ttf"


def any_font(r):
    return FONTS[int(r.integers(len(FONTS)))]


def write_lines(r, picture, tag, count, size, place_anywhere, value, words=line_of_text, path=None, outline=False):
    """Burns lines; value: number or function of what lies below. Answers their truth."""
    texts, boxes = Texts(r, *picture.shape), []
    path = path or any_font(r)
    for _ in range(count):
        text = words(r)
        ink = letters(text, path, size(r), r.random() < 0.6, 0)
        place = texts.place(ink, place_anywhere)
        if place is None:
            continue
        x, y = place
        under = picture[y:y + ink.shape[0], x:x + ink.shape[1]]
        if outline:
            wide = np.asarray(Image.fromarray((np.pad(ink, 2) * 255).astype("u1")).filter(ImageFilter.MaxFilter(3)), float) / 255
            burn(picture, x - 2, y - 2, wide[:min(wide.shape[0], picture.shape[0] - y + 2), :min(wide.shape[1], picture.shape[1] - x + 2)], 0.0)
        burn(picture, x, y, ink, float(value(under) if callable(value) else value))
        boxes.append(truth(text, [tag], x, y, ink))
    return boxes


# --- with text ---

def speckle(r):
    picture = np.clip(r.rayleigh(0.2, (600, 800)) * (0.6 + 0.8 * smooth(r, 600, 800, 70)), 0, 1)
    data = instance(r, "US", US)
    boxes = write_lines(r, picture, "speckle", 4, lambda r: int(r.integers(13, 26)), True, float(r.choice([1.0, 0.9, 0.0])))
    grey(data, picture, 8)
    return data, boxes


def outlined(r):
    picture = np.clip(r.rayleigh(0.3, (480, 640)) * (0.5 + smooth(r, 480, 640, 50)), 0, 1)
    data = instance(r, "US", US)
    boxes = write_lines(r, picture, "outlined", 4, lambda r: int(r.integers(12, 22)), True, 1.0, outline=True)
    grey(data, picture, 8)
    return data, boxes


def noise(r):
    picture = np.clip(0.4 + r.normal(0, 0.12, (512, 512)), 0, 1)
    data = instance(r, "OT", SC)
    boxes = write_lines(r, picture, "noise", 4, lambda r: int(r.integers(13, 26)), True, float(r.choice([0.85, 0.95, 0.05])))
    grey(data, picture, 8)
    return data, boxes


def mr_corners(r):
    picture, data = mr(r, int(r.choice([192, 256, 320, 512]))), instance(r, "MR", MR)
    boxes = write_lines(r, picture, "mr-corners", 6, lambda r: int(r.integers(8, 11)), False, float(r.choice([1.0, 0.6, 0.35])))
    grey(data, picture, 12)
    return data, boxes


def equal_luminance(r):
    picture = np.full((480, 640), float(r.uniform(0.3, 0.6)))
    picture[60:420, 100:540] = 0.25 + 0.5 * smooth(r, 360, 440, 40)
    boxes = write_lines(r, picture.copy(), "equal-luminance", 4, lambda r: int(r.integers(13, 24)), True, 1.0)
    data, rgb = instance(r, "OT", SC), np.stack([picture * 255] * 3, -1)
    blue, red = [(-60, 90), (80, -40), (-90, -50), (60, 60)][int(r.integers(4))]
    for box in boxes:
        at = rgb[box["y"]:box["y"] + box["h"], box["x"]:box["x"] + box["w"]]
        luma = at[..., 0][unpack(box)]
        at[unpack(box)] = np.clip(np.stack([luma + 1.402 * red, luma - 0.344 * blue - 0.714 * red, luma + 1.772 * blue], -1), 0, 255)
    colour(data, picture, (np.ones(picture.shape, bool), rgb.reshape(-1, 3)))
    return data, boxes


def sheet(r):
    """A radiograph on film, scanned with a paper label that lies askew."""
    picture = radiograph(r, 1024, 1024)
    lines = [line_of_text(r) for _ in range(4)]
    face, size = ImageFont.truetype(any_font(r), int(r.integers(18, 30))), 0
    size = face.size
    paper = np.full((len(lines) * (size + 10) + 20, max(int(face.getlength(line)) for line in lines) + 30), float(r.choice([0.95, 0.05])))
    marks = []
    for i, line in enumerate(lines):
        image = Image.new("L", paper.shape[::-1], 0)
        ImageDraw.Draw(image).text((14, 10 + i * (size + 10)), line, fill=255, font=face)
        marks.append(np.asarray(image, float) / 255)
    dark = 0.9 if paper[0, 0] < 0.5 else 0.1
    angle = float(r.choice([0, 90, 180, 270]) + r.uniform(-9, 9))
    turn = lambda plane: np.asarray(Image.fromarray((plane * 255).astype("u1")).rotate(angle, Image.BICUBIC, expand=True), float) / 255
    area, y, x = turn(np.ones(paper.shape)), int(r.integers(10, 200)), int(r.integers(10, 300))
    area, boxes = area[:1000 - y, :1000 - x], []
    burn(picture, x, y, area, paper[0, 0])
    for mark, line in zip(marks, lines):
        ink = turn(mark)[:area.shape[0], :area.shape[1]]
        burn(picture, x, y, ink, dark)
        rows, columns = np.where(ink.max(1) > 0.4)[0], np.where(ink.max(0) > 0.4)[0]
        if len(rows):
            boxes.append(truth(line, ["sheet"], x + columns[0], y + rows[0], ink[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]))
    data = instance(r, "DX", DX)
    grey(data, picture, 12, inverted=r.random() < 0.5)
    return data, boxes


def stacked(r):
    """Letters below each other."""
    picture, data, boxes = ultrasound(r), instance(r, "US", US), []
    face = ImageFont.truetype(any_font(r), int(r.integers(14, 22)))
    for x in (int(r.integers(8, 60)), int(r.integers(700, 770))):
        text = str(r.choice(["MUSTER ERIKA", "4711-0815", "DOE JOHN", "12.05.1942"]))
        image = Image.new("L", (40, len(text) * (face.size + 3) + 10), 0)
        for i, letter in enumerate(text):
            ImageDraw.Draw(image).text((8, 2 + i * (face.size + 3)), letter, fill=255, font=face)
        ink = np.asarray(image, float) / 255
        rows, columns = np.where(ink.max(1) > 0.4)[0], np.where(ink.max(0) > 0.4)[0]
        ink = ink[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
        y = int(r.integers(10, 600 - ink.shape[0] - 10))
        x = min(x, 798 - ink.shape[1])
        burn(picture, x, y, ink, 0.95)
        boxes.append(truth(text, ["stacked"], x, y, ink))
    grey(data, picture, 8)
    return data, boxes


def scripts(r):
    picture, data, boxes = ct(r), instance(r, "CT", CT), []
    texts = Texts(r, *picture.shape)
    for i in r.permutation(len(SCRIPTS) + 1)[:4]:
        path, text = (font(SCRIPTS[i][0]), SCRIPTS[i][1]) if i < len(SCRIPTS) else (CJK, "환자 山田花子 62歳")
        ink = letters(text, path, int(r.integers(15, 24)), True, 0)
        if (place := texts.place(ink, False)):
            burn(picture, *place, ink, float(r.choice([1.0, 0.8])))
            boxes.append(truth(text, ["scripts"], *place, ink))
    grey(data, picture, 16, signed=True, window=(400, 2800))
    return data, boxes


def faint_on_bright(r):
    picture = np.clip(0.75 + 0.15 * smooth(r, 700, 700, 200) + r.normal(0, 0.006, (700, 700)), 0, 1)
    data = instance(r, "DX", DX)
    step = float(r.choice([0.06, 0.09]))
    boxes = write_lines(r, picture, "faint-on-bright", 4, lambda r: int(r.integers(14, 28)), True, lambda under: under.mean() - step)
    grey(data, picture, 12)
    return data, boxes


def cut_off(r):
    """Half of the letters' height, or the end of the line, lies beyond the edge."""
    picture, data, boxes = ct(r), instance(r, "CT", CT), []
    for side in r.permutation(4)[:2]:
        ink = letters(line_of_text(r), any_font(r), int(r.integers(14, 24)), True, 0)
        height, width = ink.shape
        keep = int(height * 0.65)
        ink, x, y = [(ink[height - keep:], 40, 0), (ink[:keep], 200, 512 - keep), (ink[:, width // 3:], 0, 100), (ink[:, :width * 2 // 3], 512 - width * 2 // 3, 400)][side]
        ink = ink[:, :512 - x]
        burn(picture, x, y, ink, 0.9)
        boxes.append(truth("", ["cut-off"], x, y, ink))
    grey(data, picture, 16, signed=True, window=(400, 2800))
    return data, boxes


def large_image(r):
    picture = np.clip(radiograph(r, 600, 460), 0, 1)
    picture = np.asarray(Image.fromarray((picture * 255).astype("u1")).resize((1840, 2400), Image.BICUBIC), float) / 255
    picture = np.clip(picture + r.normal(0, 0.01, picture.shape), 0, 1)
    data = instance(r, "MG", "1.2.840.10008.5.1.4.1.1.1.2")
    boxes = write_lines(r, picture, "large-image", 5, lambda r: int(r.integers(14, 40)), False, float(r.choice([1.0, 0.9])))
    grey(data, picture, 12)
    return data, boxes


def set_wide(r):
    picture, data = ultrasound(r), instance(r, "US", US)
    boxes = write_lines(r, picture, "set-wide", 4, lambda r: int(r.integers(12, 20)), False, 0.9, words=lambda r: ("  " if r.random() < 0.5 else " ").join(line_of_text(r)[:14]))
    grey(data, picture, 8)
    return data, boxes


def single_words(r):
    picture, data = mr(r, 384), instance(r, "MR", MR)
    boxes = write_lines(r, picture, "single-words", 5, lambda r: int(r.integers(11, 20)), False, float(r.choice([1.0, 0.7])), words=lambda r: str(r.choice(["62Y", "Doe", "4711", "12.5.42", "Li", "M 62", "Dr. Ng"])))
    grey(data, picture, 12)
    return data, boxes


def scrolling(r):
    """Moves by its whole length, or is in one frame of many."""
    count, height, width = 20, 400, 512
    one = r.random() < 0.5
    still = ultrasound(r, height, width)
    frames = np.clip(np.stack([np.roll(still, i % 4, 1) for i in range(count)]) + r.normal(0, 0.03, (count, height, width)), 0, 1)
    ink, boxes, data = letters(line_of_text(r), any_font(r), int(r.integers(14, 22)), True, 0), [], instance(r, "US", US_MULTI)
    if one:
        k, x, y = int(r.integers(count)), int(r.integers(100, max(101, 400 - ink.shape[1]))), int(r.integers(80, 330))
        ink = ink[:, :width - x]
        burn(frames[k], x, y, ink, 0.95)
        boxes.append(truth("", ["one-frame"], x, y, ink, [k + 1]))
    else:
        step = int(r.integers(8, 40))
        for i, frame in enumerate(frames):
            x = 6 + (i * step) % max(1, width - ink.shape[1] - 8)
            burn(frame, x, 20, ink[:, :width - x], 0.95)
            boxes.append(truth("", ["scrolling"], x, 20, ink[:, :width - x], [i + 1]))
    grey(data, frames, 8)
    return data, boxes


# --- without text ---

def photograph(r):
    """Edges, textures and shadows of things in daylight: roofs, windows, leaves, a fence."""
    height, width = 480, 640
    image = Image.fromarray((255 * (0.5 + 0.4 * smooth(r, height, width, 160))).astype("u1"))
    draw = ImageDraw.Draw(image)
    for _ in range(int(r.integers(3, 8))):
        x, y, w, h = (int(v) for v in (r.integers(0, 500), r.integers(100, 380), r.integers(60, 220), r.integers(60, 240)))
        shade = int(r.integers(40, 220))
        draw.rectangle([x, y, x + w, y + h], fill=shade)
        draw.polygon([(x - 10, y), (x + w // 2, y - 50), (x + w + 10, y)], fill=int(r.integers(20, 160)))
        gap = int(r.integers(14, 34))
        for a in range(x + 8, x + w - gap, gap):
            for b in range(y + 8, y + h - gap, gap + 8):
                draw.rectangle([a, b, a + gap // 2, b + gap // 2 + 4], fill=int(r.integers(10, 250)))
    for _ in range(1500):
        x, y, s = int(r.normal(width * 0.7, 120)), int(r.normal(height * 0.75, 60)), int(r.integers(1, 5))
        draw.ellipse([x, y, x + s * 2, y + s], fill=int(r.integers(10, 200)))
    picture = np.asarray(image.filter(ImageFilter.GaussianBlur(0.8)), float) / 255
    data = instance(r, "XC", SC)
    rgb = np.clip(np.stack([picture * c for c in (1.0, 0.9 + 0.2 * r.random(), 0.75)], -1) * 255, 0, 255)
    colour(data, picture, (np.ones(picture.shape, bool), rgb.reshape(-1, 3)))
    return data, "photograph"


def test_card(r):
    image = Image.new("L", (1024, 1024), 128)
    draw = ImageDraw.Draw(image)
    for i in range(11):
        draw.rectangle([200 + i * 56, 480, 256 + i * 56, 560], fill=i * 25)
    for i, (x, y) in enumerate([(40, 40), (860, 40), (40, 860), (860, 860), (450, 200)]):
        step = 2 + i % 3
        for a in range(0, 120, 2 * step):
            draw.rectangle([x + a, y, x + a + step - 1, y + 50], fill=255)
            draw.rectangle([x, y + 60 + a // 2, x + 120, y + 60 + a // 2 + (step - 1) // 2], fill=0)
    draw.ellipse([100, 100, 924, 924], outline=255, width=2)
    for a in range(0, 1024, 64):
        draw.line([(a, 0), (a, 1023)], fill=160)
        draw.line([(0, a), (1023, a)], fill=160)
    data = instance(r, "OT", SC)
    grey(data, np.asarray(image, float) / 255, 12)
    return data, "test-card"


def codes(r):
    picture = radiograph(r, 900, 760)
    modules = (r.random((25, 25)) < 0.5).astype(float)
    for y, x in ((0, 0), (0, 18), (18, 0)):
        modules[y:y + 7, x:x + 7] = 0
        modules[y + 1:y + 6, x + 1:x + 6] = 1
        modules[y + 2:y + 5, x + 2:x + 5] = 0
    size = int(r.integers(3, 6))
    code = np.kron(modules, np.ones((size, size)))
    picture[20:20 + code.shape[0], 20:20 + code.shape[1]] = code
    bars = np.repeat((r.random(90) < 0.5).astype(float), 2)
    picture[820:870, 300:300 + bars.size] = bars
    data = instance(r, "DX", DX)
    grey(data, picture, 12)
    return data, "codes"


def band(r, height, width, fine, coarse):
    a = np.asarray(Image.fromarray((r.random((height, width)) * 255).astype("u1")).filter(ImageFilter.GaussianBlur(fine)), float)
    b = np.asarray(Image.fromarray(a.astype("u1")).filter(ImageFilter.GaussianBlur(coarse)), float)
    return (a - b) / np.std(a - b)


def trabeculae(r):
    picture = np.clip(0.5 + 0.13 * band(r, 800, 640, 1.6, 5) * (smooth(r, 800, 640, 150) > 0.45) + 0.3 * (smooth(r, 800, 640, 200) - 0.5), 0, 1)
    data = instance(r, "DX", DX)
    grey(data, picture, 12, inverted=r.random() < 0.5)
    return data, "trabeculae"


def vessels(r):
    image = Image.new("L", (512, 512), 0)
    draw = ImageDraw.Draw(image)

    def branch(x, y, angle, width, depth):
        for _ in range(int(r.integers(15, 40))):
            a, b = x + 5 * np.cos(angle), y + 5 * np.sin(angle)
            draw.line([(x, y), (a, b)], fill=200, width=max(1, int(width)))
            x, y, angle = a, b, angle + r.normal(0, 0.18)
        if depth:
            branch(x, y, angle + 0.5, width * 0.7, depth - 1)
            branch(x, y, angle - 0.5, width * 0.7, depth - 1)
    for _ in range(3):
        branch(256, 500, -1.57 + r.normal(0, 0.4), 9, 5)
    picture = 0.7 - 0.5 * np.asarray(image.filter(ImageFilter.GaussianBlur(1)), float) / 255 + 0.1 * (smooth(r, 512, 512, 60) - 0.5) + r.normal(0, 0.015, (512, 512))
    data = instance(r, "XA", SC)
    grey(data, np.clip(picture, 0, 1), 8)
    return data, "vessels"


def calipers(r):
    picture, data = ultrasound(r), instance(r, "US", US)
    image = Image.fromarray((picture * 255).astype("u1"))
    draw = ImageDraw.Draw(image)
    for _ in range(3):
        x, y, a, b = (int(v) for v in (r.integers(250, 550), r.integers(150, 450), r.integers(250, 550), r.integers(150, 450)))
        for cx, cy in ((x, y), (a, b)):
            draw.line([(cx - 6, cy), (cx + 6, cy)], fill=255)
            draw.line([(cx, cy - 6), (cx, cy + 6)], fill=255)
        for t in np.linspace(0, 1, 25):
            draw.point([(x + t * (a - x), y + t * (b - y))], fill=255)
    for y in range(60, 580, 26):
        draw.line([(790, y), (798 if y % 52 else 784, y)], fill=200)
        draw.polygon([(6, y), (14, y + 4), (6, y + 8)], fill=180) if y == 60 else None
    draw.line([(600, 200), (640, 160), (632, 162), (640, 160), (638, 168)], fill=255, width=2)
    grey(data, np.asarray(image, float) / 255, 8)
    return data, "calipers"


def doppler(r):
    height, width = 480, 640
    picture, x = np.zeros((height, width)), np.arange(width)
    top = 60 * np.abs(np.sin(x / 35.0)) ** 3 + 40 * np.exp(-((x % 110) / 22.0))
    y = np.arange(height)[:, None]
    inside = (y < 350) & (y > 350 - top[None, :] * 1.6)
    picture = np.where(inside, r.rayleigh(0.35, (height, width)), r.rayleigh(0.02, (height, width)))
    picture[350] = 0.8
    picture[100:220, 200:440] = r.rayleigh(0.2, (120, 240))
    for i in range(0, width, 40):
        picture[460:468 if i % 200 else 474, i:i + 1] = 0.9
    data = instance(r, "US", US)
    grey(data, np.clip(picture, 0, 1), 8)
    return data, "doppler"


def hardware(r):
    """Screws, clips, wires and a ruler of metal."""
    picture = radiograph(r, 900, 760)
    image = Image.fromarray((picture * 255).astype("u1"))
    draw = ImageDraw.Draw(image)
    for i in range(int(r.integers(4, 9))):
        x, y = int(r.integers(200, 560)), 150 + i * 70
        draw.line([(x, y), (x + 70, y + 6)], fill=250, width=5)
        for t in range(0, 70, 5):
            draw.line([(x + t, y - 5), (x + t + 3, y + 10)], fill=250, width=1)
        draw.ellipse([x - 8, y - 8, x + 4, y + 8], fill=255)
    for y in range(100, 800, 10):
        draw.line([(60, y), (80 if y % 50 else 92, y)], fill=245, width=2)
    points = [(int(300 + 120 * np.sin(t)), int(60 + 25 * t)) for t in np.linspace(0, 30, 200)]
    draw.line(points, fill=230, width=2)
    picture = np.asarray(image.filter(ImageFilter.GaussianBlur(0.7)), float) / 255
    data = instance(r, "DX", DX)
    grey(data, picture, 12, inverted=r.random() < 0.5)
    return data, "hardware"


def tissue(r):
    """Breast or brain: lobes and folds of many sizes."""
    size = int(r.choice([256, 512, 900]))
    picture = 0.45 + 0.1 * band(r, size, size, 3, 12) + 0.1 * band(r, size, size, 7, 30)
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    picture = np.where((x / 0.42) ** 2 + (y / 0.46) ** 2 < 1, picture, 0.02)
    data = instance(r, "MR", MR)
    grey(data, np.clip(picture + r.normal(0, 0.01, picture.shape), 0, 1), 12)
    return data, "tissue"


WITH = [speckle, outlined, noise, mr_corners, equal_luminance, sheet, stacked, scripts, faint_on_bright, cut_off, large_image, set_wide, single_words, scrolling]
WITHOUT = [photograph, test_card, codes, trabeculae, vessels, calipers, doppler, hardware, tissue]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("--count", type=int, default=130)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    known, negatives = {}, []
    for i in range(options.count):
        kind = WITH[i % len(WITH)]
        data, boxes = kind(np.random.default_rng([options.seed, 100, i]))
        name = f"text/{i:04}-{kind.__name__}.dcm"
        save(data, os.path.join(options.directory, name))
        known[name] = {"source": "generated", "boxes": boxes}
        data, kind = WITHOUT[i % len(WITHOUT)](np.random.default_rng([options.seed, 200, i]))
        name = f"clean/{i:04}-{kind}.dcm"
        save(data, os.path.join(options.directory, name))
        negatives.append(["generated", name, 1, data.Modality, "N"])
    with open(os.path.join(options.directory, "ground_truth.json"), "w", encoding="utf-8") as file:
        json.dump(known, file, ensure_ascii=False)
    with open(os.path.join(options.directory, "negatives.csv"), "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["class", "file", "frames", "modality", "burned_in_text"], *negatives])
