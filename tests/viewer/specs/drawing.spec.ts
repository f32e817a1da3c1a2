import { expect, test } from '../support/test.ts';

test('masks can be undone, redone, moved, resized and left with Escape; while masking, overlay text steps aside', async ({ page, viewer, store }) => {
  const study = await store('ultrasound-still');
  await viewer.open(study.studyInstanceUid);
  const overlays = page.locator('[data-cy="viewport-pane"] .viewport-overlay');
  await expect(overlays.filter({ visible: true }).first()).toBeVisible();
  await viewer.choose('Draw Mask');
  await expect(overlays.filter({ visible: true })).toHaveCount(0);
  await viewer.draw({ x: 100, y: 200, width: 100, height: 50 });
  await viewer.draw({ x: 400, y: 200, width: 100, height: 50 });

  await page.keyboard.press('Control+z');
  await expect(viewer.masks).toHaveCount(1);
  await page.keyboard.press('Control+y');
  await expect(viewer.masks).toHaveCount(2);

  await viewer.rightClick([450, 220]);
  await expect(viewer.masks).toHaveCount(1);
  await page.keyboard.press('Control+z');
  await expect(viewer.masks).toHaveCount(2);
  await page.keyboard.press('Control+y');
  await expect(viewer.masks).toHaveCount(1);

  // Moved by its middle, resized by its lower right corner.
  await viewer.openPanel();
  const [drawn] = await viewer.listed();
  await viewer.drag([150.5, 225.5], [180.5, 325.5]);
  await expect(viewer.masks).toHaveCount(1);
  const [moved] = await viewer.listed();
  expect(moved).toMatchObject({ width: drawn!.width, height: drawn!.height });
  expect(Math.abs(moved!.x - drawn!.x - 30)).toBeLessThanOrEqual(1);
  expect(Math.abs(moved!.y - drawn!.y - 100)).toBeLessThanOrEqual(1);
  await viewer.drag([moved!.x + 100, moved!.y + 50], [moved!.x + 139.5, moved!.y + 79.5]);
  const [resized] = await viewer.listed();
  expect(resized).toMatchObject({ x: moved!.x, y: moved!.y });
  expect(Math.abs(resized!.width - drawn!.width - 40)).toBeLessThanOrEqual(2);
  expect(Math.abs(resized!.height - drawn!.height - 30)).toBeLessThanOrEqual(2);

  // After Escape a drag draws no mask any more.
  await page.keyboard.press('Escape');
  await expect(overlays.filter({ visible: true }).first()).toBeVisible();
  await viewer.drag([500.5, 400.5], [600.5, 450.5]);
  await expect(viewer.masks).toHaveCount(1);

  await viewer.choose('Clear Masks');
  await expect(viewer.masks).toHaveCount(0);

  // Dragged beyond the corner of the image, a mask ends at it.
  await viewer.choose('Draw Mask');
  await viewer.drag([300.5, 60.5], [-3, -20]);
  await expect.poll(() => viewer.listed()).toEqual([expect.objectContaining({ x: 0, y: 0 })]);
});

test('masks are kept per image', async ({ page, viewer, store }) => {
  const study = await store('ct');
  await viewer.open(study.studyInstanceUid);
  await viewer.choose('Draw Mask');
  await viewer.draw(study.banner);
  await page.keyboard.press('ArrowDown');
  await expect(viewer.masks).toHaveCount(0);
  await viewer.draw({ x: 200, y: 200, width: 50, height: 50 });
  await viewer.draw({ x: 300, y: 200, width: 50, height: 50 });
  await page.keyboard.press('ArrowUp');
  await expect(viewer.masks).toHaveCount(1);

  await viewer.openPanel();
  expect(await viewer.listed()).toHaveLength(3);
  await viewer.panel.getByRole('button', { name: /^Show image 2/ }).click();
  await expect(viewer.masks).toHaveCount(2);
});

test('a mask drawn on one frame of a cine is shown on all of them', async ({ page, viewer, store }) => {
  const study = await store('ultrasound-cine');
  await viewer.open(study.studyInstanceUid);
  await viewer.choose('Draw Mask');
  await viewer.draw(study.banner);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await expect(viewer.masks).toHaveCount(1);
});
