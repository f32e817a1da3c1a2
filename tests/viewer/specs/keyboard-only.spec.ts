import { expect, test } from '../support/test.ts';

test('a mask is added, placed, approved and applied with the keyboard alone', async ({ page, viewer, store }) => {
  const study = await store('ultrasound-still');
  await viewer.open(study.studyInstanceUid);
  await viewer.openPanel();
  await viewer.panel.getByRole('button', { name: 'Add mask' }).focus();
  await page.keyboard.press('Space');
  await expect(viewer.masks).toHaveCount(1);
  const [added] = await viewer.listed();
  await viewer.panel.getByRole('button', { name: /^Mask at/ }).focus();
  await page.keyboard.press('Control+ArrowRight');
  await page.keyboard.press('Shift+ArrowDown');
  await expect.poll(() => viewer.listed()).toEqual([{ ...added!, x: added!.x + 10, height: added!.height + 1 }]);

  await viewer.panel.getByRole('button', { name: 'Approve…' }).focus();
  await page.keyboard.press('Space');
  await expect(viewer.dialog).toBeVisible();
  // The focus moved into the dialog and stays there.
  await expect(viewer.dialog.locator(':focus')).toHaveCount(1);
  await page.keyboard.press('Escape');
  await expect(viewer.dialog).toHaveCount(0);
  await expect(viewer.masks).toHaveCount(1);

  await viewer.panel.getByRole('button', { name: 'Approve…' }).focus();
  await page.keyboard.press('Space');
  await expect(viewer.dialog).toContainText('will change');
  const apply = viewer.dialog.getByRole('button', { name: 'Apply Mask' });
  await expect(apply).toBeEnabled();
  for (let presses = 0; presses < 20 && !(await apply.evaluate(button => button === document.activeElement)); presses++) {
    await page.keyboard.press('Tab');
    await expect(viewer.dialog.locator(':focus')).toHaveCount(1);
  }
  const { regions } = await viewer.apply(() => page.keyboard.press('Space'));
  await viewer.burned();
  expect((await study.judge(regions))[0]!.problems).toEqual([]);
});
