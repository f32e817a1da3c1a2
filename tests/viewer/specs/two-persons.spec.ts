import { readFile, writeFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import { Viewer } from '../support/viewer.ts';

/** What a second person does with a job that waits. */
function waitingJob(page: Page) {
  const job = page.locator('[data-cy="image-masking-job"][data-state="awaitingConfirmation"]');
  return {
    job,
    show: job.getByRole('button', { name: 'Show or hide masks' }),
    confirm: job.getByRole('button', { name: 'Confirm' }),
    decline: job.getByRole('button', { name: 'Decline' }),
    cancel: job.getByRole('button', { name: 'Cancel this job' }),
    reason: job.getByRole('textbox'),
  };
}

test('what one person approved is cancelled by her, approved again, confirmed by another, burned, and certified with both names', async ({ page, viewer, store, tabOf }, info) => {
  const study = await store('ultrasound-still');
  const untouched = async () => expect((await study.judge([study.banner]))[0]).toMatchObject({ changedInside: 0, changedOutside: 0 });
  await viewer.open(study.studyInstanceUid);
  await viewer.openPanel();
  await viewer.choose('Draw Mask');
  await viewer.draw(study.banner);

  const mias = waitingJob(page);
  await viewer.approve();
  await expect(mias.job).toContainText('1 image, 1 frame would change; nothing is changed yet');
  await expect(mias.job).toContainText('another person has to confirm it');
  await expect(mias.confirm).toHaveCount(0);
  await mias.cancel.click();
  await expect(mias.job).toHaveCount(0);
  await expect(viewer.panel.locator('[data-cy="image-masking-job"][data-state="cancelled"]')).toContainText('Cancelled');
  await expect(viewer.masks).toHaveCount(1);
  await untouched();

  await viewer.choose('Approve Mask');
  await viewer.dialog.getByLabel('Reason (optional)').fill('Name and date at the top');
  const { id, regions } = await viewer.apply();
  await expect(mias.job).toHaveAttribute('data-job-id', id);
  await page.screenshot({ path: info.outputPath('approved.png') });

  // The other person finds it on the pages beside the viewer, and opens it from there.
  const ada = await tabOf('ada');
  await ada.goto('/worklist');
  const waiting = ada.getByRole('region', { name: /waits? for a second person/ });
  await expect(waiting).toContainText('Name and date at the top');
  await ada.screenshot({ path: info.outputPath('awaiting.png') });
  await waiting.locator(`a[href*="${study.studyInstanceUid}"]`).click();
  const second = new Viewer(ada);
  const adas = waitingJob(ada);
  await second.imageShown();
  await second.openPanel();
  await expect(second.masks).toHaveCount(0);
  for (const masks of [1, 0, 1]) {
    await adas.show.click();
    await expect(second.masks).toHaveCount(masks);
  }
  await adas.confirm.click();
  await expect(adas.job).toContainText('cannot be undone');
  await adas.reason.fill('Only the banner is covered');
  await ada.screenshot({ path: info.outputPath('confirming.png') });
  await untouched();
  await adas.job.locator('form').getByRole('button', { name: 'Confirm' }).click();
  await second.burned();
  await expect.poll(() => second.brightest(study.banner)).toBeLessThan(10);
  expect((await study.judge(regions))[0]!.problems).toEqual([]);

  await page.bringToFront();
  await viewer.burned();
  const done = viewer.panel.locator(`[data-job-id="${id}"]`);
  await expect(done).toContainText('Confirmed by Ada Admin: Only the banner is covered');
  const download = page.waitForEvent('download');
  await done.getByRole('button', { name: 'Certificate' }).click();
  await page.screenshot({ path: info.outputPath('confirmed.png') });

  // As it comes out of the printer.
  const path = info.outputPath('certificate.html');
  await writeFile(path, await readFile(await (await download).path()));
  await ada.goto(`file://${path}`);
  const certificate = ada.locator('body');
  await expect(certificate).toContainText(/Approved by\s*Mia Masker/);
  await expect(certificate).toContainText('Name and date at the top');
  await expect(certificate).toContainText(/Confirmed by\s*Ada Admin/);
  await expect(certificate).toContainText('Only the banner is covered');
  const [{ x, y, width, height }] = regions as [typeof study.banner];
  await expect(certificate).toContainText(`x ${x}, y ${y}, ${width} × ${height}`);
  await expect(certificate).toContainText('0 samples changed outside');
  // Each value beside its own name, also where a name takes two lines.
  const misplaced = await ada.locator('dt').evaluateAll(names => names.filter(name => name.getBoundingClientRect().top !== name.nextElementSibling!.getBoundingClientRect().top).map(name => name.textContent));
  expect(misplaced).toEqual([]);
  await ada.pdf({ path: info.outputPath('certificate.pdf'), format: 'A4' });
});

test('what one person approved is declined by another: nothing is changed, the masks stay, and the reason is told', async ({ page, viewer, store, tabOf }, info) => {
  const study = await store('ultrasound-still');
  await viewer.open(study.studyInstanceUid);
  await viewer.openPanel();
  await viewer.choose('Draw Mask');
  await viewer.draw(study.banner);
  await viewer.approve();
  await expect(waitingJob(page).job).toBeVisible();

  const ada = await tabOf('ada');
  const second = new Viewer(ada);
  await second.open(study.studyInstanceUid);
  await second.openPanel();
  const { job, decline, reason } = waitingJob(ada);
  await decline.click();
  const send = job.locator('form').getByRole('button', { name: 'Decline' });
  await expect(send).toBeDisabled();
  await reason.fill('The mask covers the caliper');
  await send.click();
  await expect(job).toHaveCount(0);
  await ada.screenshot({ path: info.outputPath('declined-by.png') });

  await page.bringToFront();
  await expect(page.getByText('Masking declined').first()).toBeVisible();
  await expect(viewer.panel.locator('[data-state="declined"]')).toContainText('Declined by Ada Admin: The mask covers the caliper');
  await expect(viewer.masks).toHaveCount(1);
  await page.screenshot({ path: info.outputPath('declined.png') });
  expect((await study.judge([study.banner]))[0]).toMatchObject({ changedInside: 0, changedOutside: 0 });
});
