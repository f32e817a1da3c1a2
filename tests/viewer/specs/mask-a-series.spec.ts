import { expect, test } from '../support/test.ts';

test('two masks on a rotated and zoomed image: one deleted, the other burned into the whole series', async ({ viewer, store }) => {
  const study = await store('ct');
  await viewer.open(study.studyInstanceUid);
  expect(await viewer.brightest(study.banner)).toBeGreaterThan(200);
  expect(await viewer.brightestOfThumbnail({ x: 0.02, y: 0.02, width: 0.5, height: 0.15 })).toBeGreaterThan(200);

  // Zoomed out: zoomed in, the banner would lie outside the viewport.
  await viewer.press('r', '-');
  await viewer.choose('Draw Mask');
  await viewer.draw(study.banner);
  await viewer.draw({ x: 300, y: 200, width: 60, height: 40 });
  await viewer.rightClick([330, 220]);
  await expect(viewer.masks).toHaveCount(1);

  await viewer.openPanel();
  const { regions } = await viewer.approve('series');
  expect(regions).toEqual([study.banner]);
  await expect(viewer.progress).toBeVisible();
  await viewer.burned();

  await expect.poll(() => viewer.brightest(study.banner)).toBeLessThan(10);
  await expect.poll(() => viewer.brightestOfThumbnail({ x: 0.02, y: 0.02, width: 0.5, height: 0.13 })).toBeLessThan(30);
  const verdicts = await study.judge(regions);
  expect(verdicts).toHaveLength(40);
  for (const { problems, changedInside } of verdicts) {
    expect(problems).toEqual([]);
    expect(changedInside).toBeGreaterThan(1000);
  }
});
