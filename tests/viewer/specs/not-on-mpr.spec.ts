import { expect, test } from '../support/test.ts';

test('masks are not offered on MPR views, and the tooltip says why', async ({ page, viewer, store }) => {
  const study = await store('ct');
  await viewer.open(study.studyInstanceUid);
  await page.locator('[data-cy="Layout"]').click();
  await page.locator('[data-cy="MPR"]').click();
  await expect(page.locator('[data-cy="viewport-pane"]')).toHaveCount(3);
  await viewer.menu.click();
  const draw = viewer.menuItem('Draw Mask');
  await expect(draw).toBeDisabled();
  await expect(draw).toHaveAttribute('title', /^Masks cannot be drawn on reconstructed \(MPR\) images/);
  await expect(draw).toHaveAccessibleDescription(/reconstructed \(MPR\)/);
});
