import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../support/stack.ts';
import { expect, test } from '../support/test.ts';

/** With SIDECAR_TEST_IMAGES=1 the README's pictures are taken anew; otherwise the run leaves the repository as it is. */
const folder = process.env.SIDECAR_TEST_IMAGES ? join(repository, 'docs/images') : null;

test('masks, panel and dialog as the README shows them', async ({ page, viewer, store }) => {
  const study = await store('ultrasound-still');
  await viewer.open(study.studyInstanceUid);
  await viewer.openPanel();
  await viewer.choose('Draw Mask');
  await viewer.draw(study.banner);
  await viewer.draw({ x: 762, y: 112, width: 30, height: 216 });
  await page.mouse.move(700, 840);
  await expect(viewer.masks).toHaveCount(2);
  const picture = async (name: string) => {
    if (folder) {
      mkdirSync(folder, { recursive: true });
      await page.screenshot({ path: join(folder, name) });
    }
  };
  await picture('viewer-with-masks.png');

  await viewer.choose('Approve Mask');
  await expect(viewer.dialog).toContainText('1 image, 1 frame will change');
  await expect(viewer.dialog).toContainText('cannot be undone');
  await expect(viewer.dialog).toContainText('2 masks on image 1');
  await picture('approve-dialog.png');
});
