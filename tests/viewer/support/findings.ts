import { expect, type Locator, type Page } from '@playwright/test';
import { baseUrl, tokenOf, type UserName } from './stack.ts';
import type { Rectangle } from './viewer.ts';

/** What the tests look at in the answer of /api/scan-findings. */
export interface StudyFindings {
  readonly state: string;
  readonly scan: { readonly state: string; readonly isWeak: boolean };
  readonly clusters: readonly { readonly id: string; readonly images: number }[];
  readonly findings: readonly { readonly sopInstanceUid: string; readonly state: string; readonly region: Rectangle; readonly decision?: { readonly region?: Rectangle } }[];
  readonly unscannable: readonly { readonly id: string }[];
}

/** Asks the sidecar as a user, past the browser. */
export async function ask(user: UserName, path: string, method = 'GET', body?: unknown): Promise<Response> {
  return fetch(`${baseUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${await tokenOf(user)}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

export async function findingsOf(study: string): Promise<StudyFindings> {
  return (await (await ask('mia', `/api/scan-findings?study=${study}`)).json()) as StudyFindings;
}

/** Waits for the scan of a study that has arrived: Orthanc calls it complete after ten seconds without news. */
export async function scanned(study: string): Promise<StudyFindings> {
  await expect.poll(async () => (await findingsOf(study)).scan.state, { timeout: 120_000, intervals: [1_000] }).toBe('scanned');
  return findingsOf(study);
}

/** Rejects all that was found and finalizes, for tests that need a study no longer held. */
export async function release(study: string): Promise<void> {
  const { clusters, unscannable } = await scanned(study);
  const decisions = [
    ...clusters.map(({ id }) => ({ clusterId: id, action: 'dismiss', reason: 'Not looked at: this test is about something else.' })),
    ...(unscannable.length > 0 ? [{ unscannableIds: unscannable.map(({ id }) => id), action: 'acknowledge' }] : []),
  ];
  if (decisions.length > 0) {
    expect((await ask('mia', '/api/scan-findings/decisions', 'POST', { study, decisions })).status).toBe(200);
  }
  expect((await ask('mia', `/api/reviews/${study}/finalize`, 'POST', {})).status).toBe(200);
}

/** The findings panel as a person uses it. */
export class FindingsPanel {
  readonly panel: Locator;
  readonly clusters: Locator;
  readonly boxes: Locator;
  readonly said: Locator;
  readonly finalize: Locator;

  constructor(readonly page: Page) {
    this.panel = page.locator('[data-cy="image-masking-findings-panel"]');
    this.clusters = page.locator('[data-cy="image-masking-cluster"]');
    this.boxes = page.locator('polygon[data-cy="image-finding"]');
    this.said = page.locator('[data-cy="image-masking-said"]');
    this.finalize = this.panel.getByRole('button', { name: 'Finalize' });
  }

  /** How many groups nobody has decided on, as the heading says. */
  async toDecide(): Promise<number> {
    const heading = await this.panel.getByRole('heading').first().textContent();
    return Number(/^(\d+) groups? to decide$/.exec(heading ?? '')?.[1] ?? 0);
  }
}
