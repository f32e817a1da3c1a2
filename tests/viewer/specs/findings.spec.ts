import { ask, FindingsPanel, findingsOf, scanned } from '../support/findings.ts';
import { tabTo } from '../support/keyboard.ts';
import { picture } from '../support/pictures.ts';
import { expect, test } from '../support/test.ts';
import { Viewer } from '../support/viewer.ts';

test('a study from a modality is scanned, decided on by keyboard, masked and finalized; a reader sees it only then', async ({ page, viewer, store, tabOf }, info) => {
  const study = await store('ct', undefined, 'modality');
  const { studyInstanceUid } = study;
  const forReader = async () => ({
    found: ((await (await ask('rob', `/dicom-web/studies?StudyInstanceUID=${studyInstanceUid}`)).json()) as unknown[]).length,
    read: (await ask('rob', `/dicom-web/studies/${studyInstanceUid}/metadata`)).ok,
  });
  expect(await forReader()).toEqual({ found: 0, read: false });

  await page.goto('/worklist?state=findings&sort=newest');
  const row = page.locator(`tr[data-study="${studyInstanceUid}"]`);
  await expect(row).toContainText('Findings', { timeout: 120_000 });
  await expect(row).toContainText('DEMO TOMOGRAPHY CARL');
  await page.screenshot({ path: info.outputPath('worklist.png') });
  await picture(page, 'worklist.png');
  await tabTo(page, row.getByRole('button', { name: /^Review/ }));
  await page.keyboard.press('Enter');

  const findings = new FindingsPanel(page);
  await viewer.imageShown();
  await expect(findings.panel).toBeVisible();
  await expect(findings.boxes.first()).toBeVisible();
  await page.screenshot({ path: info.outputPath('findings.png') });

  // One key a group, for what is the same on many images.
  await expect(findings.clusters.first()).toContainText(/\d\d images/);
  await page.keyboard.press('n');
  await expect(findings.clusters.first()).toBeFocused();
  await picture(page, 'findings.png');
  for (let left = await findings.toDecide(); left > 0; left--) {
    await page.keyboard.press('a');
    await expect.poll(() => findings.toDecide()).toBe(left - 1);
  }
  const accepted = await findingsOf(studyInstanceUid);
  expect(new Set(accepted.findings.map(finding => finding.state))).toEqual(new Set(['accepted']));
  const regionsOf = (sop: string) => accepted.findings.filter(finding => finding.sopInstanceUid === sop).map(finding => finding.decision?.region ?? finding.region);

  await tabTo(page, findings.panel.getByRole('button', { name: /^Apply \d+ accepted masks/ }));
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog').filter({ has: page.locator('[data-cy="image-masking-apply-dialog"]') });
  await expect(dialog).toContainText(`${accepted.findings.length} accepted masks on 40 images will be burned in`);
  await expect(dialog).toContainText('cannot be undone');
  await tabTo(page, dialog.getByRole('button', { name: 'Apply Mask' }), 'Tab', dialog);
  await page.keyboard.press('Space');
  await expect(page.getByText('Masks applied').first()).toBeVisible({ timeout: 60_000 });
  const verdicts = await study.judgeEach(regionsOf);
  expect(verdicts).toHaveLength(40);
  for (const { problems, changedInside } of verdicts) {
    expect(problems).toEqual([]);
    expect(changedInside).toBeGreaterThan(1000);
  }
  // Nothing of the banner is left, not even where two lines meet.
  await expect.poll(() => viewer.brightest(study.banner)).toBeLessThan(10);

  // The masked images are scanned once more, then nothing stands in the way.
  await expect(findings.finalize).toHaveAttribute('aria-disabled', 'false', { timeout: 120_000 });
  await tabTo(page, findings.finalize);
  await page.keyboard.press('Enter');
  await expect(findings.panel).toContainText('Finalized. A later change of the images opens the study again.');
  await page.screenshot({ path: info.outputPath('finalized.png') });

  expect(await forReader()).toEqual({ found: 1, read: true });
  const reader = new Viewer(await tabOf('rob'));
  await reader.open(studyInstanceUid);
  await expect(reader.page.locator('[data-cy="image-finding"]')).toHaveCount(0);
});

test.describe('with the mouse, and on the pages', () => {
  test.use({ user: 'ada' });

  test('boxes say what they are, are moved and rejected, hidden by a filter, kept as a template', async ({ page, viewer, store }, info) => {
    const study = await store('ultrasound-still');
    await scanned(study.studyInstanceUid);
    await page.goto(`/viewer?StudyInstanceUIDs=${study.studyInstanceUid}&findings`);
    await viewer.imageShown();
    const findings = new FindingsPanel(page);
    await expect(findings.boxes.first()).toBeVisible();
    const groups = await findings.toDecide();
    expect(groups).toBeGreaterThan(1);

    // Boxes of neighbouring lines overlap; the last one lies on top.
    const box = findings.boxes.last();
    await box.hover();
    await expect(page.getByRole('tooltip')).toContainText(/%.*to decide/);
    await page.screenshot({ path: info.outputPath('hover.png') });
    await box.click();
    await expect(page.locator('[data-cy="image-masking-cluster"][aria-selected="true"]')).toHaveCount(1);
    await findings.panel.getByRole('button', { name: /^Move/ }).click();
    const before = await page.locator('[data-cy="image-masking-selected-region"]').textContent();
    const corner = (await page.locator('[data-cy="image-finding-corner"]').last().boundingBox())!;
    await page.mouse.move(corner.x + corner.width / 2, corner.y + corner.height / 2);
    await page.mouse.down();
    await page.mouse.move(corner.x + 40, corner.y + 30, { steps: 3 });
    await page.mouse.up();
    await expect(page.locator('[data-cy="image-masking-selected-region"]')).not.toHaveText(before!);
    await page.screenshot({ path: info.outputPath('adjusting.png') });
    await findings.panel.getByRole('button', { name: /^Accept this box/ }).click();
    await expect(findings.said).toContainText('Accepted.');
    await expect.poll(() => findings.toDecide()).toBe(groups - 1);

    await findings.panel.getByRole('button', { name: /^Reject/ }).click();
    await page.getByRole('radio', { name: /^Text without patient data/ }).check();
    await findings.panel.getByRole('button', { name: 'Reject', exact: true }).click();
    await expect(findings.said).toContainText('Rejected.');

    const shown = await findings.clusters.count();
    await findings.panel.getByText('Filter', { exact: true }).click();
    await findings.panel.getByRole('slider').fill('100');
    await expect(findings.clusters).not.toHaveCount(shown);
    await expect(findings.panel).toContainText('hidden by the filter');
    await findings.panel.getByRole('button', { name: 'Show all' }).click();
    await expect(findings.clusters).toHaveCount(shown);

    await page.locator('[data-cy="image-masking-cluster"][data-state="accepted"]').click();
    await findings.panel.getByRole('button', { name: /^Keep as template/ }).click();
    const name = `Template of ${study.studyInstanceUid.slice(-12)}`;
    await page.getByLabel('Name of the template').fill(name);
    await findings.panel.getByRole('button', { name: /^Keep \d/ }).click();
    await expect(findings.panel).toContainText('Kept.');

    await findings.panel.getByRole('link', { name: 'Work list' }).click();
    await page.getByRole('link', { name: 'Templates' }).click();
    const kept = page.getByRole('row').filter({ hasText: name });
    await expect(kept).toContainText('800 × 600');
    await page.screenshot({ path: info.outputPath('templates.png') });
    await kept.getByRole('button', { name: /^Delete/ }).click();
    await kept.getByRole('button', { name: 'Delete for good' }).click();
    await expect(page.getByRole('status')).toContainText(`Deleted: ${name}`);

    await page.getByRole('link', { name: 'Dashboard' }).click();
    await expect(page.getByRole('region', { name: 'Findings by modality' })).toContainText('US');
    await page.screenshot({ path: info.outputPath('dashboard.png'), fullPage: true });
    await page.getByRole('link', { name: 'Schedules' }).click();
    await expect(page.getByRole('table', { name: 'Scans' })).toContainText('New studies, as they arrive');
    await page.screenshot({ path: info.outputPath('schedules.png') });
  });
});

