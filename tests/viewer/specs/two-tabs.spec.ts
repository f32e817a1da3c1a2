import type { BrowserContext } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import { Viewer } from '../support/viewer.ts';

/** After the first tab has opened its study: OHIF in a tab that loads while it is hidden may keep a side panel of half the window's width. */
async function openTab(context: BrowserContext, study: { readonly studyInstanceUid: string }): Promise<Viewer> {
  const other = new Viewer(await context.newPage());
  await other.open(study.studyInstanceUid);
  return other;
}

test('a second tab shows the new pixels too, and masks drawn there stay', async ({ context, viewer, store }) => {
  const study = await store('ultrasound-still');
  await viewer.open(study.studyInstanceUid);
  const other = await openTab(context, study);
  await other.choose('Draw Mask');
  await other.draw({ x: 400, y: 200, width: 80, height: 60 });
  expect(await other.brightest(study.banner)).toBeGreaterThan(200);

  await viewer.front();
  await viewer.choose('Draw Mask');
  await viewer.draw(study.banner);
  const { regions } = await viewer.approve();
  await viewer.burned();

  await other.front();
  await expect.poll(() => other.brightest(study.banner), { timeout: 45_000 }).toBeLessThan(10);
  await expect(other.masks).toHaveCount(1);
  expect((await study.judge(regions))[0]!.problems).toEqual([]);
});

test('both tabs mask the same image: both masks are burned', async ({ context, viewer, store }) => {
  const study = await store('ultrasound-still');
  await viewer.open(study.studyInstanceUid);
  const other = await openTab(context, study);
  await other.choose('Draw Mask');
  await other.draw({ x: 400, y: 200, width: 80, height: 60 });
  await viewer.front();
  await viewer.choose('Draw Mask');
  await viewer.draw(study.banner);
  const first = await viewer.approve();
  await other.front();
  const second = await other.approve();
  await other.burned();
  await viewer.front();
  await viewer.burned();
  expect((await study.judge([...first.regions, ...second.regions]))[0]!.problems).toEqual([]);
});
