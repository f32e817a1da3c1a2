import { readFileSync } from 'node:fs';
import { act } from 'react';
import { beforeEach, expect, test, vi } from 'vitest';
import { AuditTable } from '../src/audit/AuditTable';
import { SidecarProblem, type AuditClient } from '../src/sidecar/client';
import type { AuditChainView, AuditEventView } from '../src/sidecar/types';
import { click, render } from './render';

function row(sequence: number, changes: Partial<AuditEventView> = {}): AuditEventView {
  return { sequence, at: '2026-11-22T04:00:00Z', action: 'instanceMasked', subject: 'mia', name: 'Mia <b>Masker</b>', softwareVersion: '0.1.0', details: { frames: 3 }, hash: 'abc', ...changes };
}

const ofChain = { holds: true, rows: 7, lastHash: 'abc', checkpoints: 2, signed: true };

function fake(chain: AuditChainView = ofChain, page: AuditClient['page'] = async () => ({ events: [row(7), row(6)], next: 6 })) {
  return { page: vi.fn(page), chain: vi.fn(async () => chain), export: vi.fn<AuditClient['export']>(async () => new Blob()), certificate: vi.fn<AuditClient['certificate']>(async () => new Blob()) };
}

beforeEach(() => void vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => undefined));

const button = (name: string): HTMLButtonElement => {
  const found = [...document.querySelectorAll('button')].find(b => b.textContent === name);
  if (!found) {
    throw new Error(`no button ${name}`);
  }
  return found;
};

test('Rows are shown as text, with who, what and the hash', async () => {
  const page = await render(<AuditTable client={fake()} />);
  expect([...page.querySelectorAll('tbody tr')].map(r => r.querySelector('td')?.textContent)).toEqual(['7', '6']);
  expect(page.querySelector('tbody b')).toBeNull();
  expect(page.textContent).toContain('Mia <b>Masker</b>');
  expect(page.querySelector('pre')?.textContent).toContain('"frames": 3');
});

test('Older goes on below the last row, Newest comes back', async () => {
  const client = fake();
  await render(<AuditTable client={client} />);
  expect(button('Newest').disabled).toBe(true);
  await click(button('Older'));
  expect(client.page.mock.lastCall?.[1]).toBe(6);
  await click(button('Newest'));
  expect(client.page.mock.lastCall?.[1]).toBeUndefined();
});

test('Filters ask anew from the newest row, and exports use them', async () => {
  const client = fake();
  const page = await render(<AuditTable client={client} />);
  await click(button('Older'));
  (page.querySelector('[name="study"]') as HTMLInputElement).value = ' 1.2.3 ';
  (page.querySelector('[name="action"]') as HTMLSelectElement).value = 'refused';
  await act(async () => page.querySelector('form')?.requestSubmit());
  expect(client.page.mock.lastCall?.slice(0, 2)).toEqual([{ action: 'refused', study: '1.2.3' }, undefined]);
  await click(button('Export as CSV'));
  expect(client.export).toHaveBeenCalledWith({ action: 'refused', study: '1.2.3' }, 'csv');
});

test.each([
  [{ holds: true, rows: 7, lastHash: 'a', checkpoints: 2, signed: true }, 'The chain holds', '2 signed checkpoints kept elsewhere agree'],
  [{ holds: true, rows: 7, lastHash: 'a', checkpoints: 0, signed: false }, 'The chain holds', 'No checkpoints are kept elsewhere'],
  [{ holds: false, rows: 3, lastHash: 'a', checkpoints: 0, signed: false, firstBadRow: 4, fault: 'Row 4 was changed.' }, 'The chain is broken', 'Row 4 was changed. 3 rows before it hold'],
])('The state of the chain is told in words', async (chain, title, sentence) => {
  const page = await render(<AuditTable client={fake(chain)} />);
  expect(page.querySelector('.chain')?.textContent).toContain(title);
  expect(page.querySelector('.chain')?.textContent).toContain(sentence);
  expect(page.querySelector('.chain [role="alert"]') !== null).toBe(!chain.holds);
});

test.each([
  [new SidecarProblem(401, 'urn:sidecar:problem:unauthenticated', 'x'), 'Your session has ended. Log in again'],
  [new SidecarProblem(403, 'urn:sidecar:problem:forbidden', 'Your account does not have the permission'), 'Your account does not have the permission'],
  [new SidecarProblem(0, 'unreachable', ''), 'The sidecar does not answer'],
])('What goes wrong is said', async (problem, sentence) => {
  const page = await render(<AuditTable client={fake(ofChain, async () => Promise.reject(problem))} />);
  expect(page.querySelector('p[role="alert"]')?.textContent).toContain(sentence);
});

test('A finished job has its certificate, in both forms', async () => {
  const client = fake(ofChain, async () => ({ events: [row(9, { action: 'maskJobFinished', jobId: 'job-1' }), row(8, { jobId: 'job-1' })] }));
  await render(<AuditTable client={client} />);
  await click(button('Certificate'));
  await click(button('Certificate as JSON'));
  expect(client.certificate.mock.calls).toEqual([['job-1', 'page'], ['job-1', 'json']]);
  expect([...document.querySelectorAll('button')].filter(b => b.textContent === 'Certificate')).toHaveLength(1);
});

test('The page is German where OHIF is, but for what is stored', async () => {
  localStorage.setItem('i18nextLng', 'de');
  const page = await render(<AuditTable client={fake({ ...ofChain, rows: 1200 }, async () => ({ events: [row(7, { studyInstanceUid: '1.2' }), row(6, { action: 'fromTheFuture' })], next: 6 }))} />);
  expect(page.textContent).not.toMatch(/Filters|Older|Newest|Show|Export as|The chain|Study1|Time|Loading/);
  expect([...page.querySelectorAll('tbody th')].map(name => [name.textContent, name.getAttribute('title')])).toEqual([['Bild geschwärzt', 'instanceMasked'], ['fromTheFuture', 'fromTheFuture']]);
  expect(page.querySelector('.chain')?.textContent).toContain('Die Kette ist unversehrt1.200 Zeilen');
  localStorage.clear();
});

test('Every action that docs/audit.md names can be filtered by', async () => {
  const documented = [...readFileSync('../docs/audit.md', 'utf8').split('## What is written')[1]!.split('## ')[0]!.matchAll(/^\| (`\w+`(?:, `\w+`)*) \|/gm)].flatMap(([, names]) => [...names!.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  const page = await render(<AuditTable client={fake()} />);
  const offered = [...page.querySelectorAll<HTMLOptionElement>('[name="action"] option')].map(option => option.value).filter(Boolean);
  expect(documented.length).toBeGreaterThan(40);
  expect([...offered].sort()).toEqual([...documented].sort());
});

test('No rows is said, too', async () => {
  const page = await render(<AuditTable client={fake(ofChain, async () => ({ events: [] }))} />);
  expect(page.textContent).toContain('No rows match.');
});
