import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { chromium, type FullConfig } from '@playwright/test';
import { baseUrl, passwordOf, sessionOf, type UserName } from './stack.ts';

/** Logs each user in once, so that the tests begin with the identity provider's session and not with its form. */
export default async function logInAll(config: FullConfig): Promise<void> {
  const { launchOptions, baseURL } = config.projects[0]!.use;
  const browser = await chromium.launch(launchOptions);
  for (const user of ['mia', 'rob', 'ada'] satisfies UserName[]) {
    const page = await browser.newPage({ baseURL });
    // Not OHIF: it takes far longer to load, and the session is the same.
    await page.goto('/worklist');
    await logIn(page, user);
    mkdirSync(dirname(sessionOf(user)), { recursive: true });
    await page.context().storageState({ path: sessionOf(user) });
    await page.close();
  }
  await browser.close();
}

/** Fills in the identity provider's form, once it is shown, and waits until OHIF or the page is back. */
export async function logIn(page: import('@playwright/test').Page, user: UserName, password = passwordOf(user)): Promise<void> {
  await page.locator('input[name=login]').fill(user);
  await page.locator('input[name=password]').fill(password);
  await page.locator('button[type=submit]').click();
  await page.waitForURL(url => !url.pathname.startsWith('/login') && !url.pathname.startsWith('/callback') && url.host === new URL(baseUrl).host);
}
