import { readFile } from 'node:fs/promises';
import { logIn } from '../support/logIn.ts';
import { baseUrl } from '../support/stack.ts';
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
    await expect(page.getByRole('rowheader').first()).toHaveText('Logged in');
    await expect(page.getByRole('rowheader').filter({ hasNotText: 'Logged in' })).toHaveCount(0);
    await page.getByText('Show details of row').first().click();
    await expect(page.getByText('"permissions"').first()).toBeVisible();
    await page.screenshot({ path: info.outputPath('audit.png') });

    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export as CSV' }).click();
    const lines = (await readFile(await (await download).path(), 'utf8')).trimEnd().split('\r\n');
    expect(lines[0]).toMatch(/^sequence,at,action,/);
    expect(lines.slice(1).every(line => line.includes(',loggedIn,ada,'))).toBe(true);
  });

  test('it follows the language of OHIF, and renews its token while it is open', async ({ context, page }, info) => {
    await context.addCookies([{ name: 'i18next', value: 'de', url: baseUrl }]);
    await page.clock.install();
    await page.goto('/audit');
    await logIn(page, 'ada');
    await expect(page.getByRole('region', { name: 'Zustand der Kette' })).toContainText('Die Kette ist unversehrt');
    await page.getByLabel('Vorgang').selectOption('Angemeldet');
    await page.getByLabel('Von').fill('2026-01-01T00:00');

    // The demo's tokens live for an hour. The page may renew them by itself or when it asks next.
    const renewal = page.waitForResponse(answer => new URLSearchParams(answer.request().postData() ?? '').get('grant_type') === 'refresh_token');
    const list = page.waitForRequest(request => request.url().includes('/api/audit?from='));
    await page.clock.fastForward('59:30');
    await page.getByRole('button', { name: 'Filter anwenden' }).click();
    const { access_token } = (await (await renewal).json()) as { access_token: string };
    expect(await (await list).headerValue('authorization')).toBe(`Bearer ${access_token}`);
    await expect(page.getByRole('rowheader').first()).toHaveText('Angemeldet');
    await expect(page.getByRole('alert')).toHaveCount(0);
    await page.screenshot({ path: info.outputPath('audit-german.png') });
  });

  test('a user without the permission is told so, and shown nothing', async ({ page }) => {
    await page.goto('/audit');
    await logIn(page, 'rob');

    await expect(page.getByRole('alert').filter({ hasText: 'does not have the permission' }).first()).toBeVisible();
    await expect(page.getByRole('table')).toHaveCount(0);
  });
});
