import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '../support/test.ts';

test('an image that cannot be masked: the others are, the reason is shown, and the masks stay', async ({ viewer, store }) => {
  // Number 20 of the series is RLE that says it has one segment where 16 bits need two; Orthanc stores it, only decoding shows it.
  const study = await store('ct', files => damageRle(files[19]!));
  await viewer.open(study.studyInstanceUid);
  await viewer.choose('Draw Mask');
  await viewer.draw(study.banner);
  const { regions } = await viewer.approve('series');

  await expect(viewer.page.getByText('Not all images were masked').first()).toBeVisible({ timeout: 60_000 });
  await viewer.openPanel();
  await expect(viewer.panel.getByText(/Image 20: \S+/)).toBeVisible();
  await expect(viewer.masks).toHaveCount(1);

  const problems = (await study.judge(regions)).map(verdict => verdict.problems);
  expect(problems.filter(found => found.length === 0)).toHaveLength(39);
  expect(problems[19]!.join()).toContain('cannot judge');
});

test('a transfer syntax that cannot be masked: the dialog says so and offers no Apply', async ({ viewer, store }) => {
  // OHIF cannot show what is refused either: it is a second series, chosen alone for a mask drawn on the first.
  const study = await store('ultrasound-still', async files => void files.push(inRefusedSyntax(files[0]!)));
  await viewer.open(study.studyInstanceUid);
  await viewer.choose('Draw Mask');
  await viewer.draw(study.banner);
  await viewer.choose('Approve Mask');
  await viewer.dialog.getByRole('radio', { name: 'chosen series' }).check();
  await viewer.dialog.getByRole('checkbox', { name: 'Series 99' }).check();
  await expect(viewer.dialog).toContainText('1 image, 1 frame will change');
  await expect(viewer.dialog).toContainText(/Series 99 · US[^:]*, 1 image: their encoding \(Transfer Syntax\) cannot be masked yet/);
  await viewer.dialog.getByRole('checkbox', { name: 'Series 1' }).uncheck();
  await expect(viewer.dialog).toContainText('No image can be masked');
  await expect(viewer.dialog).toContainText('Transfer Syntax');
  await expect(viewer.dialog.getByRole('button', { name: 'Apply Mask' })).toBeDisabled();
  await viewer.dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(viewer.masks).toHaveCount(1);
});

/** The same image once more as a series of its own, which says that it is JPEG 2000 Part 2: no codec here or in OHIF reads that. */
function inRefusedSyntax(file: string): string {
  const refused = `${file}.refused`;
  const program = `
import sys
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import generate_uid
image = dcmread(sys.argv[1])
image.SeriesInstanceUID, image.SOPInstanceUID, image.SeriesNumber = generate_uid(), generate_uid(), 99
image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
image.file_meta.TransferSyntaxUID = '1.2.840.10008.1.2.4.92'
image.PixelData = encapsulate([b'no codestream'])
image['PixelData'].is_undefined_length = True
image.is_little_endian, image.is_implicit_VR = True, False
image.save_as(sys.argv[2])
`;
  execFileSync('/usr/bin/python3', ['-c', program, file, refused], { timeout: 30_000 });
  return refused;
}

async function damageRle(file: string): Promise<void> {
  execFileSync('dcmcrle', [file, file], { timeout: 30_000 });
  const bytes = readFileSync(file);
  const header = bytes.indexOf(Buffer.from([2, 0, 0, 0, 64, 0, 0, 0]));
  expect(header).toBeGreaterThan(0);
  bytes.writeUInt32LE(1, header);
  writeFileSync(file, bytes);
}
