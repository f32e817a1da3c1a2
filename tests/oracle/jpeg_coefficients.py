#!/usr/bin/python3
"""Reads the quantized coefficients of the first frame of JPEG files, sequential or progressive, written from ISO/IEC 10918-1 apart from the code under test.

    jpeg_coefficients.py FILE OUT.raw [FILE OUT.raw ...]   32-bit little endian numbers: component by component, block by block (row by row, those
                                                           with a pixel of the picture), 64 coefficients each in zigzag order
"""
import sys

import numpy
import pydicom
from pydicom.encaps import generate_pixel_data_frame


class Bits:
    """The entropy-coded bits from a position up to the next marker."""

    def __init__(self, data, position):
        end = position
        while not (data[end] == 0xFF and data[end + 1] != 0):
            end += 1
        text = "".join(f"{byte:08b}" for byte in data[position:end].replace(b"\xff\x00", b"\xff"))
        self.text, self.at, self.end = text, 0, end

    def read(self, count):
        if self.at + count > len(self.text):
            raise ValueError("out of bits")
        value = int(self.text[self.at:self.at + count] or "0", 2)
        self.at += count
        return value

    def symbol(self, table):
        for length in range(1, 17):
            code = self.text[self.at:self.at + length]
            if code in table:
                self.at += length
                return table[code]
        raise ValueError("no such code")

    def signed(self, size):
        value = self.read(size)
        return value if size == 0 or value >> (size - 1) else value - (1 << size) + 1


def huffman_tables(content):
    while content:
        selector, counts = content[0], content[1:17]
        symbols, code, table = content[17:17 + sum(counts)], 0, {}
        index = 0
        for length, count in enumerate(counts, 1):
            for _ in range(count):
                table[f"{code:0{length}b}"] = symbols[index]
                code, index = code + 1, index + 1
            code <<= 1
        if any("0" not in code for code in table):
            raise ValueError("a code of ones only")
        yield selector, table
        content = content[17 + sum(counts):]


class Component:
    def __init__(self, frame, horizontal, vertical, greatest_horizontal, greatest_vertical):
        rows, columns = frame
        self.horizontal, self.vertical = horizontal, vertical
        self.wide = -(-(-(-columns * horizontal // greatest_horizontal)) // 8)
        self.high = -(-(-(-rows * vertical // greatest_vertical)) // 8)
        across, down = -(-columns // (8 * greatest_horizontal)), -(-rows // (8 * greatest_vertical))
        self.blocks = numpy.zeros((down * vertical, across * horizontal, 64), dtype=numpy.int64)


class Scan:
    def __init__(self, parts, start, end, high, low, is_progressive):
        self.parts, self.start, self.end, self.high, self.low = parts, start, end, high, low
        self.is_progressive, self.run, self.predictions = is_progressive, 0, {}

    def block(self, bits, component, dc, ac, block):
        if not self.is_progressive:
            self.dc_first(bits, component, dc, block)
            k = 1
            while k < 64:
                symbol = bits.symbol(ac)
                if symbol == 0:
                    break
                k += symbol >> 4
                block[k] = bits.signed(symbol & 15)
                k += 1
        elif self.start == 0:
            if self.high == 0:
                self.dc_first(bits, component, dc, block)
            elif bits.read(1):
                block[0] |= 1 << self.low
        elif self.high == 0:
            self.ac_first(bits, ac, block)
        else:
            self.ac_refine(bits, ac, block)

    def dc_first(self, bits, component, dc, block):
        self.predictions[component] = self.predictions.get(component, 0) + bits.signed(bits.symbol(dc))
        block[0] = self.predictions[component] << self.low

    def ac_first(self, bits, ac, block):
        if self.run:
            self.run -= 1
            return
        k = self.start
        while k <= self.end:
            symbol = bits.symbol(ac)
            run, size = symbol >> 4, symbol & 15
            if size == 0 and run < 15:
                self.run = (1 << run) + bits.read(run) - 1
                return
            k += run
            if size:
                block[k] = bits.signed(size) * (1 << self.low)
            k += 1

    def ac_refine(self, bits, ac, block):
        bit = 1 << self.low

        def correct(k):
            if bits.read(1):
                block[k] += bit if block[k] > 0 else -bit

        k = self.start
        while k <= self.end and not self.run:
            symbol = bits.symbol(ac)
            run, size = symbol >> 4, symbol & 15
            if size == 0 and run < 15:
                self.run = (1 << run) + bits.read(run)
                break
            new = (bit if bits.read(1) else -bit) if size else 0
            while block[k] or run:
                if block[k]:
                    correct(k)
                else:
                    run -= 1
                k += 1
            if new:
                block[k] = new
            k += 1
        if self.run:
            self.run -= 1
            for k in range(k, self.end + 1):
                if block[k]:
                    correct(k)

    def steps(self):
        """Lists of (component, its blocks) in the order of coding."""
        if len(self.parts) == 1:
            component = self.parts[0][0]
            for y in range(component.high):
                for x in range(component.wide):
                    yield [(self.parts[0], component.blocks[y, x])]
            return
        first = self.parts[0][0]
        for y in range(first.blocks.shape[0] // first.vertical):
            for x in range(first.blocks.shape[1] // first.horizontal):
                yield [(part, part[0].blocks[y * part[0].vertical + v, x * part[0].horizontal + h])
                       for part in self.parts for v in range(part[0].vertical) for h in range(part[0].horizontal)]

    def decode(self, data, position, interval):
        bits, marker = Bits(data, position), 0
        for index, step in enumerate(self.steps()):
            if interval and index and index % interval == 0:
                if data[bits.end + 1] != 0xD0 + marker % 8:
                    raise ValueError("no restart marker")
                bits, marker = Bits(data, bits.end + 2), marker + 1
                self.predictions, self.run = {}, 0
            for (component, dc, ac), block in step:
                self.block(bits, id(component), dc, ac, block)
        if "0" in bits.text[bits.at:] or len(bits.text) - bits.at > 7:
            raise ValueError("bits are left over")
        return bits.end


def coefficients(data):
    position, tables, interval, components, is_progressive = 2, {}, 0, {}, False
    while data[position + 1] != 0xD9:
        marker = data[position + 1]
        length = data[position + 2] * 256 + data[position + 3]
        content = data[position + 4:position + 2 + length]
        position += 2 + length
        if marker in (0xC0, 0xC1, 0xC2):
            is_progressive = marker == 0xC2
            frame = (content[1] * 256 + content[2], content[3] * 256 + content[4])
            entries = [content[i:i + 3] for i in range(6, 6 + 3 * content[5], 3)]
            factors = [(1, 1)] if len(entries) == 1 else [(entry[1] >> 4, entry[1] & 15) for entry in entries]
            for entry, (horizontal, vertical) in zip(entries, factors):
                components[entry[0]] = Component(frame, horizontal, vertical, max(h for h, _ in factors), max(v for _, v in factors))
        elif marker == 0xC4:
            tables.update(huffman_tables(content))
        elif marker == 0xDD:
            interval = content[0] * 256 + content[1]
        elif marker == 0xDA:
            count = content[0]
            parts = [(components[content[1 + 2 * i]], tables.get(content[2 + 2 * i] >> 4), tables.get(0x10 | content[2 + 2 * i] & 15)) for i in range(count)]
            start, end, approximation = content[1 + 2 * count:4 + 2 * count]
            scan = Scan(parts, start, end, approximation >> 4, approximation & 15, is_progressive)
            position = scan.decode(data, position, interval)
    return [component.blocks[:component.high, :component.wide] for component in components.values()]


if __name__ == "__main__":
    for source, target in zip(sys.argv[1::2], sys.argv[2::2]):
        dataset = pydicom.dcmread(source, force=True)
        codestream = next(generate_pixel_data_frame(dataset.PixelData, int(dataset.get("NumberOfFrames") or 1)))
        numpy.concatenate([blocks.ravel() for blocks in coefficients(codestream)]).astype("<i4").tofile(target)
