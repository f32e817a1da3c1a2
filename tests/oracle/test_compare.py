"""Checks the judge: each kind of damage must be seen. Run: /usr/bin/python3 -m unittest discover tests/oracle"""
import copy
import os
import tempfile
import unittest

import numpy
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from compare import CannotJudge, compare

REGION = (4, 3, 10, 5)


def instance(photometric="MONOCHROME2", bits=8, signed=0, frames=2):
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = "2.25.1"
    dataset.is_little_endian, dataset.is_implicit_VR = True, False
    dataset.PatientName, dataset.Modality = "TEST^JUDGE", "OT"
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = 12, 20, frames
    dataset.SamplesPerPixel = 3 if photometric in ("RGB", "YBR_FULL") else 1
    if dataset.SamplesPerPixel == 3:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = photometric
    dataset.BitsAllocated = 8 if bits <= 8 else 16
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = bits, bits - 1, signed
    item = Dataset()
    item.ReferencedSOPInstanceUID = "2.25.7"
    dataset.ReferencedImageSequence = Sequence([item])
    dataset.add_new(0x00091001, "LO", "private")
    shape = (frames, 12, 20, dataset.SamplesPerPixel)
    samples = numpy.random.default_rng(1).integers(1, (1 << (bits - signed)) - 1, shape).astype(f"{'i' if signed else 'u'}{dataset.BitsAllocated // 8}")
    dataset.PixelData = samples.tobytes()
    return dataset, samples


def mask(dataset, samples, black):
    masked, burned = copy.deepcopy(dataset), samples.copy()
    x, y, width, height = REGION
    burned[:, y:y + height, x:x + width] = black
    masked.PixelData = burned.tobytes()
    masked.BurnedInAnnotation = "NO"
    masked.DeidentificationMethod = "pixels masked"
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "113101", "DCM", "Clean Pixel Data Option"
    masked.DeidentificationMethodCodeSequence = Sequence([code])
    return masked, burned


class Judge(unittest.TestCase):
    def problems(self, original, masked, **options):
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in ("original.dcm", "masked.dcm")]
            original.save_as(paths[0], write_like_original=False)
            masked.save_as(paths[1], write_like_original=False)
            return compare(*paths, [REGION], **options)["problems"]

    def damaged(self, damage, expected):
        original, samples = instance()
        masked, burned = mask(original, samples, 0)
        damage(masked, burned)
        found = self.problems(original, masked)
        self.assertTrue(any(expected in problem for problem in found), f"{expected!r} is not in {found}")

    def test_rightly_masked_files_of_each_colour_model_pass(self):
        for photometric, bits, signed, black in [
                ("MONOCHROME2", 8, 0, 0), ("MONOCHROME1", 12, 0, 4095), ("MONOCHROME2", 12, 1, -2048), ("MONOCHROME1", 16, 1, 32767),
                ("RGB", 8, 0, 0), ("YBR_FULL", 8, 0, (0, 128, 128))]:
            with self.subTest(photometric=photometric, bits=bits, signed=signed):
                original, samples = instance(photometric, bits, signed)
                self.assertEqual([], self.problems(original, mask(original, samples, black)[0]))

    def test_zero_is_not_black_in_monochrome1(self):
        original, samples = instance("MONOCHROME1", 12)
        self.assertIn("not black", self.problems(original, mask(original, samples, 0)[0])[0])

    def test_a_pixel_left_in_the_last_frame_is_seen(self):
        def damage(masked, burned):
            burned[-1, 7, 13] = 9
            masked.PixelData = burned.tobytes()
        self.damaged(damage, "1 pixels inside")

    def test_a_pixel_changed_just_outside_is_seen(self):
        def damage(masked, burned):
            burned[0, 8, 13] ^= 1
            masked.PixelData = burned.tobytes()
        self.damaged(damage, "1 samples outside")

    def test_frames_that_were_not_to_be_masked_count_as_outside(self):
        original, samples = instance()
        self.assertIn("outside", self.problems(original, mask(original, samples, 0)[0], frames="1")[0])

    def test_a_changed_attribute_is_seen(self):
        self.damaged(lambda masked, _: setattr(masked, "PatientName", "OTHER"), "PatientName changed")

    def test_a_changed_item_of_a_sequence_is_seen(self):
        self.damaged(lambda masked, _: setattr(masked.ReferencedImageSequence[0], "ReferencedSOPInstanceUID", "2.25.8"), "ReferencedImageSequence changed")

    def test_a_lost_private_attribute_is_seen(self):
        self.damaged(lambda masked, _: masked.pop(0x00091001), "(0009,1001) was removed")

    def test_an_added_attribute_is_seen(self):
        self.damaged(lambda masked, _: setattr(masked, "StudyDate", "20260101"), "StudyDate was added")

    def test_changed_file_meta_information_is_seen(self):
        self.damaged(lambda masked, _: setattr(masked.file_meta, "SourceApplicationEntityTitle", "X"), "SourceApplicationEntityTitle of the file meta")

    def test_a_verdict_left_out_is_seen(self):
        self.damaged(lambda masked, _: masked.pop("BurnedInAnnotation"), "BurnedInAnnotation is not NO")

    def test_a_code_given_twice_is_seen(self):
        def damage(masked, _):
            masked.DeidentificationMethodCodeSequence.append(masked.DeidentificationMethodCodeSequence[0])
        self.damaged(damage, "113101 2 times")

    def test_a_file_that_was_not_masked_is_seen(self):
        original, _ = instance()
        self.assertTrue(self.problems(original, original))

    def test_a_file_that_cannot_be_decoded_is_no_pass(self):
        original, samples = instance()
        masked, burned = mask(original, samples, 0)
        masked.PixelData = burned.tobytes()[:-40]
        with self.assertRaises(CannotJudge):
            self.problems(original, masked)


if __name__ == "__main__":
    unittest.main()
