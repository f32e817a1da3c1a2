import { release } from '../support/findings.ts';
import { expect, test } from '../support/test.ts';

test.use({ user: 'rob' });

test('a user without the role sees nothing of masking and is refused by the sidecar', async ({ page, viewer, store }) => {
  const study = await store('ultrasound-still');
  await release(study.studyInstanceUid);
  const me = page.waitForResponse(response => new URL(response.url()).pathname === '/api/me');
  await viewer.open(study.studyInstanceUid);
  expect(await (await me).json()).toMatchObject({ name: 'Rob Reader', permissions: [] });

  // The toolbar is complete, so a Mask entry would be there by now.
  await expect(page.locator('[data-cy="MoreTools-split-button-secondary"]')).toBeVisible();
  await expect(viewer.menu).toHaveCount(0);
  await expect(page.getByText('Mask', { exact: false })).toHaveCount(0);
  await expect(page.locator('[data-cy="findings-btn"]')).toHaveCount(0);

  const headers = await viewer.authorization();
  const data = { studyInstanceUid: study.studyInstanceUid, source: { seriesInstanceUid: '1.2', sopInstanceUid: '1.3' }, regions: [{ x: 0, y: 0, width: 9, height: 9 }], scope: 'image' };
  for (const path of ['/api/mask-jobs', '/api/mask-jobs/preview']) {
    const answer = await page.request.post(path, { data, headers: { ...headers, 'idempotency-key': 'rob' } });
    expect(answer.status()).toBe(403);
  }
  for (const path of [`/api/scan-findings?study=${study.studyInstanceUid}`, '/api/reviews', '/api/mask-templates', '/api/dashboard', '/api/samples/next', '/api/scans']) {
    expect((await page.request.get(path, { headers })).status(), path).toBe(403);
  }

  // Looking is allowed, so the refusal is of masking and not of everything.
  expect((await page.request.get('/api/me', { headers })).status()).toBe(200);
  expect((await study.judge([study.banner]))[0]).toMatchObject({ changedInside: 0, changedOutside: 0 });
});
