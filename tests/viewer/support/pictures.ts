import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { repository } from './stack.ts';

/** With SIDECAR_TEST_IMAGES=1 the README's pictures are taken anew; otherwise the run leaves the repository as it is. */
const folder = process.env.SIDECAR_TEST_IMAGES ? join(repository, 'docs/images') : null;

export async function picture(page: Page, name: string): Promise<void> {
  if (folder) {
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, name) });
  }
}
