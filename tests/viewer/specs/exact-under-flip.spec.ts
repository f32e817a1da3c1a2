import { expect, test } from '../support/test.ts';

test('what is burned is what was covered, on an image that is flipped, rotated and zoomed', async ({ viewer, store }) => {
  const study = await store('ultrasound-still');
  await viewer.open(study.studyInstanceUid);
  await viewer.press('h', 'r', '+', '+');
  await viewer.choose('Draw Mask');
  const wanted = { x: 350, y: 250, width: 37, height: 23 };
  await viewer.draw(wanted);
  const { regions } = await viewer.approve();
  expect(regions).toEqual([wanted]);
  await viewer.burned();
  await expect.poll(() => viewer.brightest(wanted)).toBeLessThan(10);
  expect((await study.judge(regions))[0]!.problems).toEqual([]);
});
