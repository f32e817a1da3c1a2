import { test as base } from '@playwright/test';
import { sessionOf, type UserName } from './stack.ts';
import { storeStudy, type StoredStudy, type StudyName } from './studies.ts';
import { Viewer } from './viewer.ts';

interface Fixtures {
  /** Which user the browser is logged in as. */
  user: UserName;
  viewer: Viewer;
  /** Stores a fresh copy of a demo study; it is removed after the test. */
  store: (name: StudyName, prepare?: (files: string[]) => Promise<unknown>) => Promise<StoredStudy>;
}

export const test = base.extend<Fixtures>({
  user: ['mia', { option: true }],
  storageState: async ({ user }, use) => use(sessionOf(user)),
  viewer: async ({ page }, use) => use(new Viewer(page)),
  store: async ({}, use) => {
    const studies: StoredStudy[] = [];
    await use(async (name, prepare) => {
      const study = await storeStudy(name, prepare);
      studies.push(study);
      return study;
    });
    await Promise.all(studies.map(study => study.remove()));
  },
});

export { expect } from '@playwright/test';
