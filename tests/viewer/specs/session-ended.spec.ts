import { expect, test } from '../support/test.ts';
import { logIn } from '../support/logIn.ts';
import { passwordOf } from '../support/stack.ts';

test.describe('without a session', () => {
  test.use({ storageState: { cookies: [], origins: [] } });

  test('the viewer asks for a login; a wrong password is refused, the right one opens the study', async ({ page, viewer, store }) => {
    const study = await store('ultrasound-still');
    await page.goto(`/viewer?StudyInstanceUIDs=${study.studyInstanceUid}`);
    await page.locator('input[name=login]').fill('mia');
    await page.locator('input[name=password]').fill(`not ${passwordOf('mia')}`);
    await page.locator('button[type=submit]').click();
    await expect(page.getByRole('alert')).toContainText('wrong');
    await logIn(page, 'mia');
    await viewer.imageShown();
    await expect(viewer.menu).toBeVisible();
  });

  test('the interface and the images are refused without a token', async ({ request, store }) => {
    const study = await store('ultrasound-still');
    for (const path of ['/api/me', `/api/mask-jobs?study=${study.studyInstanceUid}`, '/dicom-web/studies', `/dicom-web/studies/${study.studyInstanceUid}/metadata`]) {
      expect((await request.get(path)).status(), path).toBe(401);
    }
  });
});

test('a session that ended while drawing: the dialog says so, nothing is changed, the masks stay', async ({ viewer, store }) => {
  const study = await store('ultrasound-still');
  await viewer.open(study.studyInstanceUid);
  await viewer.choose('Draw Mask');
  await viewer.draw(study.banner);
  await viewer.spoilToken();
  await viewer.choose('Approve Mask');
  await expect(viewer.dialog).toContainText('Your session has ended. Sign in again.');
  await expect(viewer.dialog.getByRole('button', { name: 'Apply Mask' })).toBeDisabled();
  await viewer.dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(viewer.masks).toHaveCount(1);
});
