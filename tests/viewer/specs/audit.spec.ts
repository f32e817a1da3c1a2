import { readFile } from 'node:fs/promises';
import { logIn } from '../support/logIn.ts';
import { expect, test } from '../support/test.ts';

test.describe('the page at /audit', () => {
  test.use({ storageState: { cookies: [], origins: [] } });

  test('a reader of the audit logs in, sees that the chain holds, filters and exports', async ({ page }, info) => {
    await page.goto('/audit');
    await logIn(page, 'ada');

    const chain = page.getByRole('region', { name: 'State of the chain' });
    await expect(chain).toContainText('The chain holds');
    await expect(page.getByRole('row').nth(1)).toContainText('Ada');
    expect(new URL(page.url()).search).toBe('');

    await page.getByLabel('Action').selectOption('loggedIn');
    await page.getByLabel('Who').fill('ada');
    await page.getByRole('button', { name: 'Apply filters' }).click();
    await expect(page.getByRole('rowheader').first()).toHaveText('loggedIn');
    await expect(page.getByRole('rowheader').filter({ hasNotText: 'loggedIn' })).toHaveCount(0);
    await page.getByText('Show details of row').first().click();
    await expect(page.getByText('"permissions"').first()).toBeVisible();
    await page.screenshot({ path: info.outputPath('audit.png') });

    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export as CSV' }).click();
    const lines = (await readFile(await (await download).path(), 'utf8')).trimEnd().split('\r\n');
    expect(lines[0]).toMatch(/^sequence,at,action,/);
    expect(lines.slice(1).every(line => line.includes(',loggedIn,ada,'))).toBe(true);
  });

  test('a user without the permission is told so, and shown nothing', async ({ page }) => {
    await page.goto('/audit');
    await logIn(page, 'rob');

    await expect(page.getByRole('alert').filter({ hasText: 'does not have the permission' }).first()).toBeVisible();
    await expect(page.getByRole('table')).toHaveCount(0);
  });
});
