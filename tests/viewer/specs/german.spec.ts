import { baseUrl } from '../support/stack.ts';
import { expect, test } from '../support/test.ts';

test('the strings are German where OHIF is German', async ({ context, page, viewer, store }) => {
  // OHIF's language preference is this cookie.
  await context.addCookies([{ name: 'i18next', value: 'de', url: baseUrl }]);
  const study = await store('ultrasound-still');
  await viewer.open(study.studyInstanceUid);
  await viewer.menu.click();
  await page.getByText('Maske zeichnen').last().click();
  await viewer.draw(study.banner);
  await viewer.menu.click();
  await page.getByText('Maske freigeben').last().click();
  const dialog = page.getByRole('dialog', { name: 'Maske freigeben' });
  await expect(dialog.getByRole('button', { name: 'Abbrechen' })).toBeVisible();
  await expect(dialog).not.toContainText(/Cancel|Apply|This overwrites/);
});
