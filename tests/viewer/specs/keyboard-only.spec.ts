import { tabTo } from '../support/keyboard.ts';
import { expect, test } from '../support/test.ts';

test('a mask is added, placed, approved and applied with the keyboard alone', async ({ page, viewer, store }) => {
  const study = await store('ultrasound-still');
  await viewer.open(study.studyInstanceUid);
  await viewer.openPanel();
  await tabTo(page, viewer.panel.getByRole('button', { name: 'Add mask' }));
  await page.keyboard.press('Enter');
  await expect(viewer.masks).toHaveCount(1);
  const [added] = await viewer.listed();
  // The new mask has the focus, so that the arrow keys place it at once.
  await expect(viewer.panel.getByRole('button', { name: /^Mask at/ })).toBeFocused();
  await page.keyboard.press('Control+ArrowRight');
  await page.keyboard.press('Shift+ArrowDown');
  await expect.poll(() => viewer.listed()).toEqual([{ ...added!, x: added!.x + 10, height: added!.height + 1 }]);

  const approve = viewer.panel.getByRole('button', { name: /^Approve/ });
  await tabTo(page, approve, 'Shift+Tab');
  await page.keyboard.press('Space');
  await expect(viewer.dialog.getByRole('radio').first()).toBeFocused();
  // OHIF's dialog listens for Escape a moment after the focus is in it; a hand is not that fast.
  await expect(async () => {
    await page.keyboard.press('Escape');
    await expect(viewer.dialog).toHaveCount(0, { timeout: 2_000 });
  }).toPass();
  await expect(viewer.masks).toHaveCount(1);

  await tabTo(page, approve);
  await page.keyboard.press('Enter');
  await expect(viewer.dialog).toContainText('will change');
  const apply = viewer.dialog.getByRole('button', { name: 'Apply Mask' });
  await expect(apply).toBeEnabled();
  await tabTo(page, apply, 'Tab', viewer.dialog);
  const { regions } = await viewer.apply(() => page.keyboard.press('Space'));
  await viewer.burned();
  expect((await study.judge(regions))[0]!.problems).toEqual([]);
});
