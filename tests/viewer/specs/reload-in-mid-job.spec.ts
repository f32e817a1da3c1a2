import { pauseOrthanc } from '../support/stack.ts';
import { expect, test } from '../support/test.ts';

test('a page reload in mid-job finds the job again and shows the new pixels at its end', async ({ page, viewer, store }) => {
  const study = await store('ct');
  await viewer.open(study.studyInstanceUid);
  await viewer.choose('Draw Mask');
  await viewer.draw(study.banner);
  const headers = await viewer.authorization();
  const { id, regions } = await viewer.approve('series');
  const resumeOrthanc = pauseOrthanc();
  const job = async () => (await (await page.request.get(`/api/mask-jobs/${id}`, { headers })).json()) as { state: string; done: number };
  try {
    expect((await job()).state).toMatch(/queued|running/);
    await page.reload({ waitUntil: 'commit' });
  } finally {
    resumeOrthanc();
  }

  await viewer.imageShown();
  await viewer.openPanel();
  await expect(viewer.panel.getByText('40 images masked')).toBeVisible({ timeout: 60_000 });
  await expect.poll(() => viewer.brightest(study.banner)).toBeLessThan(10);
  expect(await job()).toMatchObject({ state: 'succeeded', done: 40 });
  for (const verdict of await study.judge(regions)) {
    expect(verdict.problems).toEqual([]);
  }
});
