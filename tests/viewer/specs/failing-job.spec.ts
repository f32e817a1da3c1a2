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

// JPEG-LS has no codec here yet. When it has, take another row that TransferSyntaxSupport refuses.
test('a transfer syntax that cannot be masked: the dialog says so and offers no Apply', async ({ viewer, store }) => {
  const study = await store('ultrasound-still', async ([file]) => execFileSync('dcmcjpls', [file!, file!], { timeout: 30_000 }));
  await viewer.open(study.studyInstanceUid);
  await viewer.choose('Draw Mask');
  await viewer.draw(study.banner);
  await viewer.choose('Approve Mask');
  await expect(viewer.dialog).toContainText('No image can be masked');
  await expect(viewer.dialog).toContainText('Transfer Syntax');
  await expect(viewer.dialog.getByRole('button', { name: 'Apply Mask' })).toBeDisabled();
  await viewer.dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(viewer.masks).toHaveCount(1);
});

async function damageRle(file: string): Promise<void> {
  execFileSync('dcmcrle', [file, file], { timeout: 30_000 });
  const bytes = readFileSync(file);
  const header = bytes.indexOf(Buffer.from([2, 0, 0, 0, 64, 0, 0, 0]));
  expect(header).toBeGreaterThan(0);
  bytes.writeUInt32LE(1, header);
  writeFileSync(file, bytes);
}
