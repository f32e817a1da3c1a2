import { picture } from '../support/pictures.ts';
import { expect, test } from '../support/test.ts';

test('masks, panel and dialog as the README shows them', async ({ page, viewer, store }) => {
  const study = await store('ultrasound-still');
  await viewer.open(study.studyInstanceUid);
  await viewer.openPanel();
  await viewer.choose('Draw Mask');
  await viewer.draw(study.banner);
  await viewer.draw({ x: 762, y: 112, width: 30, height: 216 });
  await page.mouse.move(700, 840);
  await expect(viewer.masks).toHaveCount(2);
  await picture(page, 'viewer-with-masks.png');

  await viewer.choose('Approve Mask');
  await expect(viewer.dialog).toContainText('1 image, 1 frame will change');
  await expect(viewer.dialog).toContainText('cannot be undone');
  await expect(viewer.dialog).toContainText('2 masks on image 1');
  await picture(page, 'approve-dialog.png');
});
