import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base, type BrowserContext, type Page, type PlaywrightTestOptions } from '@playwright/test';
import { baseUrl, sessionOf, type UserName } from './stack.ts';
import { storeStudy, type StoredStudy } from './studies.ts';
import { Viewer } from './viewer.ts';

interface Fixtures {
  /** Which user the browser is logged in as. */
  user: UserName;
  viewer: Viewer;
  /** Another tab, in which somebody else is logged in; the tabs that are open stay with their users. */
  tabOf: (user: UserName) => Promise<Page>;
  /** Stores a fresh copy of a demo study; it is removed after the test. */
  store: (...how: Parameters<typeof storeStudy>) => Promise<StoredStudy>;
}

interface WorkerFixtures {
  /** One profile a worker: OHIF's 25 MB of scripts are fetched and compiled once, not for each test. */
  profile: BrowserContext;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  user: ['mia', { option: true }],
  storageState: async ({ user }, use) => use(sessionOf(user)),

  profile: [
    async ({ playwright }, use, { project }) => {
      const folder = mkdtempSync(join(tmpdir(), 'viewer-profile-'));
      const { launchOptions, viewport, locale, baseURL } = project.use;
      const profile = await playwright.chromium.launchPersistentContext(folder, { ...launchOptions, viewport, locale, baseURL });
      await use(profile);
      await profile.close();
      rmSync(folder, { recursive: true, force: true });
    },
    { scope: 'worker' },
  ],

  // Nothing but the cache passes from test to test: each begins with the cookies of its user, and with empty storage.
  context: async ({ profile, storageState }, use) => {
    await wearCookies(profile, storageState);
    await use(profile);
    const [first, ...others] = profile.pages(); // without its first page the browser would end
    await Promise.all(others.map(page => page.close()));
    await first?.goto('about:blank');
  },
  page: async ({ context }, use) => {
    const page = await context.newPage();
    const browser = await context.newCDPSession(page);
    await browser.send('Storage.clearDataForOrigin', { origin: new URL(baseUrl).origin, storageTypes: 'local_storage,indexeddb,cache_storage,service_workers' });
    await use(page);
  },

  // Only the identity provider's cookies say who logs in next; a tab keeps its token for itself.
  tabOf: async ({ context }, use) =>
    use(async user => {
      await wearCookies(context, sessionOf(user));
      return context.newPage();
    }),

  viewer: async ({ page }, use) => use(new Viewer(page)),
  store: async ({}, use) => {
    const studies: StoredStudy[] = [];
    await use(async (...how) => {
      const study = await storeStudy(...how);
      studies.push(study);
      return study;
    });
    await Promise.all(studies.map(study => study.remove()));
  },
});

async function wearCookies(context: BrowserContext, storageState: PlaywrightTestOptions['storageState']): Promise<void> {
  await context.clearCookies();
  const { cookies } = (typeof storageState === 'string' ? JSON.parse(readFileSync(storageState, 'utf8')) : storageState) as Exclude<typeof storageState, string | undefined>;
  await context.addCookies(cookies);
}

export { expect } from '@playwright/test';
