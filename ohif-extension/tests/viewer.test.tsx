import { act } from 'react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { cornerstoneLibraries } from '../src/host/ohif';
import { JobList } from '../src/jobs/JobList';
import { FindingsPanel } from '../src/findings/FindingsPanel';
import { bridge } from '../src/host/bridge';
import { Observable } from '../src/host/observable';
import type { FollowedJob } from '../src/jobs/JobStore';
import { MaskMenu } from '../src/masks/MaskMenu';
import { MaskPanel } from '../src/masks/MaskPanel';
import { MaskStore } from '../src/masks/MaskStore';
import { closeSessions, openSessionIfPermitted } from '../src/openSession';
import { currentSession } from '../src/session';
import { SidecarProblem, type SidecarClient } from '../src/sidecar/client';
import type { MaskJobRequest, Me } from '../src/sidecar/types';
import { aStudy, fakeFindings } from './aStudy';
import { fakeHost } from './fakeHost';
import { byCy, click, press, render } from './render';
import { aJob } from './support';

let fake: ReturnType<typeof fakeHost>;
let masks: MaskStore;
let leave: AbortController;

beforeEach(() => {
  fake = fakeHost();
  masks = new MaskStore(cornerstoneLibraries(fake.host.extensionManager));
  leave = new AbortController();
});

afterEach(() => {
  act(() => {
    leave.abort();
    closeSessions();
    masks.dispose();
  });
});

async function enter(me: () => Promise<Me>): Promise<void> {
  const client = { me, jobsOfStudy: async () => ({ jobs: [] }) } as unknown as SidecarClient;
  await act(async () => openSessionIfPermitted(fake.host, { masking: client, findings: fakeFindings(aStudy([])).client }, masks, leave.signal));
}

const mia = async (): Promise<Me> => ({ subject: 'mia', name: 'Mia Masker', permissions: ['mask'] });

describe('without the permission nothing of masking shows', () => {
  test.each<[string, () => Promise<Me>]>([
    ['a user with other permissions', async () => ({ subject: 'rob', name: 'Rob', permissions: ['audit'] })],
    ['a refusal', async () => Promise.reject(new SidecarProblem(403, 'x', ''))],
    ['no session', async () => Promise.reject(new SidecarProblem(401, 'x', ''))],
  ])('%s', async (_name, me) => {
    await enter(me);
    const container = await render(
      <>
        <MaskMenu run={vi.fn()} />
        <MaskPanel run={vi.fn()} />
        <FindingsPanel run={vi.fn()} />
      </>,
    );
    expect(container.textContent).toBe('');
    expect(fake.services.toolbarService.register).not.toHaveBeenCalled();
    expect(fake.services.panelService.addPanels).not.toHaveBeenCalled();
    expect(fake.services.customizationService.setCustomizations).not.toHaveBeenCalled();
  });

  test('a reviewer who may not mask sees the findings alone', async () => {
    await enter(async () => ({ subject: 'rita', name: 'Rita', permissions: ['review'] }));
    expect(fake.services.panelService.addPanels.mock.calls).toEqual([['right', ['ohif-extension-image-masking.panelModule.findings']]]);
    expect(fake.services.toolbarService.register).not.toHaveBeenCalled();
    expect((await render(<MaskMenu run={vi.fn()} />)).textContent).toBe('');
    expect((await render(<FindingsPanel run={vi.fn()} />)).textContent).toContain('No findings to decide.');
  });

  test('a sidecar that does not answer is asked again, and shows nothing meanwhile', async () => {
    vi.useFakeTimers();
    try {
      const me = vi.fn(mia).mockRejectedValueOnce(new SidecarProblem(503, 'x', ''));
      const opening = openSessionIfPermitted(fake.host, { masking: { me, jobsOfStudy: async () => ({ jobs: [] }) } as unknown as SidecarClient, findings: fakeFindings(aStudy([])).client }, masks, leave.signal);
      await vi.advanceTimersByTimeAsync(1_000);
      expect(currentSession.get()).toBeNull();
      await vi.advanceTimersByTimeAsync(2_000);
      await opening;
      expect(currentSession.get()).not.toBeNull();
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('the menu', () => {
  const items = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>('[role="menu"] [role^="menuitem"]')];

  test('opens on hover with its three entries; those without a mask to act on say why', async () => {
    await enter(mia);
    await render(<MaskMenu run={vi.fn()} />);
    await act(async () => byCy('image-masking-button').parentElement?.dispatchEvent(new MouseEvent('mouseover', { bubbles: true })));
    expect(items().map(item => item.getAttribute('aria-label'))).toEqual(['Draw Mask', 'Approve Mask', 'Clear Masks']);
    expect(items().map(item => item.getAttribute('aria-disabled'))).toEqual(['false', 'true', 'true']);
    expect(byCy('image-masking-approve').title).toBe('Draw a mask on this image first.');
    expect(document.getElementById(byCy('image-masking-approve').getAttribute('aria-describedby') ?? '')?.textContent).toBe('Draw a mask on this image first.');
  });

  test('works by keyboard: arrow down opens, arrows walk around, Escape returns to the button', async () => {
    await enter(mia);
    fake.draw('m', { x: 1, y: 1, width: 2, height: 2 });
    const run = vi.fn();
    await render(<MaskMenu run={run} />);
    byCy('image-masking-button').focus();
    await press('ArrowDown');
    expect(document.activeElement).toBe(items()[0]);
    await press('ArrowUp');
    expect(document.activeElement).toBe(items()[2]);
    await press('Home');
    await press('ArrowDown');
    expect(document.activeElement).toBe(items()[1]);
    await press('Escape');
    expect(items()).toEqual([]);
    expect(document.activeElement).toBe(byCy('image-masking-button'));
    await click(byCy('image-masking-button'));
    await click(byCy('image-masking-approve'));
    expect(run).toHaveBeenCalledExactlyOnceWith('imageMaskingApprove');
  });

  test.each([
    ['orthographic', 'reconstructed (MPR)'],
    ['volume3d', '3D'],
    ['video', 'video'],
    ['wholeSlide', 'whole-slide'],
  ])('on a %s viewport drawing is closed and the tooltip says why', async (viewportType, words) => {
    fake.viewport.type = viewportType;
    await enter(mia);
    const run = vi.fn();
    await render(<MaskMenu run={run} />);
    await click(byCy('image-masking-button'));
    expect(byCy('image-masking-draw').title).toContain(words);
    await click(byCy('image-masking-draw'));
    expect(run).not.toHaveBeenCalled();
  });
});

describe('the panel', () => {
  test('says what to do while it is empty', async () => {
    await enter(mia);
    const panel = await render(<MaskPanel run={vi.fn()} />);
    expect(panel.textContent).toContain('No masks drawn.');
    expect(panel.textContent).toContain('No masking jobs for this study.');
  });

  test('lists masks image by image and deletes one', async () => {
    await enter(mia);
    fake.draw('a', { x: 10, y: 20, width: 30, height: 40 });
    fake.draw('b', { x: 1, y: 2, width: 3, height: 4 }, { ...fake.image, sopInstanceUid: '1.1.2' });
    const run = vi.fn();
    const panel = await render(<MaskPanel run={run} />);
    expect(panel.querySelectorAll('[data-cy="image-masking-image"]')).toHaveLength(2);
    expect(panel.textContent).toContain('shown now · applies to all 3 frames');
    await click(byCy('image-masking-jump'));
    expect(run).toHaveBeenCalledWith('imageMaskingJump', { image: fake.image });
    await click(panel.querySelector<HTMLElement>('[aria-label="Delete mask at 10, 20"]') ?? document.body);
    expect(masks.masks.get().map(mask => mask.uid)).toEqual(['b']);
    act(() => fake.history.at(-1)?.restoreMemo(true));
    expect(masks.masks.get().map(mask => mask.uid)).toEqual(['b', 'a']);
  });

  test('a mask is added, moved, resized and deleted by keyboard alone', async () => {
    await enter(mia);
    await render(<MaskPanel run={vi.fn()} />);
    await click(byCy('image-masking-add'));
    const region = () => masks.masks.get()[0]?.region;
    expect(region()).toEqual({ x: 80, y: 45, width: 40, height: 10 });
    expect(document.activeElement).toBe(byCy('image-masking-mask'));
    await press('ArrowLeft');
    await press('ArrowUp', { ctrlKey: true });
    expect(region()).toEqual({ x: 79, y: 35, width: 40, height: 10 });
    await press('ArrowRight', { shiftKey: true });
    await press('ArrowDown', { shiftKey: true, ctrlKey: true });
    expect(region()).toEqual({ x: 79, y: 35, width: 41, height: 20 });
    expect(byCy('image-masking-mask').getAttribute('aria-label')).toBe('Mask at 79, 35, size 41 × 20 pixels');
    await press('Delete');
    expect(masks.masks.get()).toEqual([]);
  });

  test('a mask that is being burned can be neither changed nor approved again', async () => {
    await enter(mia);
    fake.draw('a', { x: 10, y: 20, width: 30, height: 40 });
    await render(<MaskPanel run={vi.fn()} />);
    await act(async () => masks.setBurning(['a'], true));
    expect(byCy('image-masking-panel').textContent).toContain('approved');
    expect(document.querySelector('[data-cy="image-masking-delete"], [data-cy="image-masking-approve-image"]')).toBeNull();
    await press('Delete', {}, byCy('image-masking-mask'));
    expect(masks.masks.get()).toHaveLength(1);
    expect(currentSession.get()?.openMasksOf(fake.image)).toEqual([]);
  });
});

test('undo and redo never bring back what was burned', async () => {
  await enter(mia);
  fake.draw('a', { x: 10, y: 20, width: 30, height: 40 });
  masks.delete(['a']);
  fake.history[0]?.restoreMemo(true);
  expect(masks.masks.get()).toHaveLength(1);
  masks.discard(['a']);
  fake.history[0]?.restoreMemo(true);
  expect(masks.masks.get()).toEqual([]);
});

test('leaving the study takes masks, key listener and body class away', async () => {
  await enter(mia);
  fake.draw('a', { x: 10, y: 20, width: 30, height: 40 });
  currentSession.get()?.startDrawing();
  expect(document.body.classList.contains('image-masking')).toBe(true);
  await press('Escape', {}, document.body);
  expect(document.body.classList.contains('image-masking')).toBe(false);
  currentSession.get()?.startDrawing();
  currentSession.get()?.close();
  expect(document.body.classList.contains('image-masking')).toBe(false);
  expect(masks.masks.get()).toEqual([]);
  const calls = vi.mocked(fake.host.commandsManager.runCommand).mock.calls.length;
  await press('Escape', {}, document.body);
  expect(vi.mocked(fake.host.commandsManager.runCommand).mock.calls).toHaveLength(calls);
});

test('Enter and the space bar press the button that has the focus, whatever the hot keys of OHIF do with them', async () => {
  const Bridged = bridge(() => <button type="button">Press</button>);
  await render(<Bridged />);
  const hotKeys = vi.fn();
  document.addEventListener('keydown', hotKeys);
  const button = document.querySelector('button');
  await press('Enter', {}, button);
  await press(' ', {}, button);
  expect(hotKeys).not.toHaveBeenCalled();
  await enter(mia);
  await render(<MaskMenu run={vi.fn()} />);
  await click(byCy('image-masking-button'));
  await press('Enter', {}, byCy('image-masking-draw'));
  expect(hotKeys).not.toHaveBeenCalled();
  await press('z', { ctrlKey: true }, button);
  expect(hotKeys).toHaveBeenCalledOnce();
  document.removeEventListener('keydown', hotKeys);
});

const stackThatNeverLoads = {
  getViewPresentation: () => ({}),
  getProperties: () => ({}),
  getCurrentImageIdIndex: () => 0,
  setStack: () => new Promise(() => undefined),
};

test('new pixels that never arrive do not keep back how the job ended', async () => {
  vi.useFakeTimers();
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
  try {
    Object.assign(fake.viewport, stackThatNeverLoads);
    const job = aJob({ state: 'failed', done: 2, failed: 1, maskedSopInstanceUids: ['1.1.1'] });
    const client = { me: mia, jobsOfStudy: async () => ({ jobs: [] }), createJob: async () => job } as unknown as SidecarClient;
    await act(async () => openSessionIfPermitted(fake.host, { masking: client, findings: fakeFindings(aStudy([])).client }, masks, leave.signal));
    await act(async () => currentSession.get()?.approve({} as MaskJobRequest, 'key', []));
    await act(async () => vi.advanceTimersByTimeAsync(19_000));
    expect(fake.services.uiNotificationService.show).not.toHaveBeenCalledWith(expect.objectContaining({ type: 'error' }));
    await act(async () => vi.advanceTimersByTimeAsync(1_000));
    expect(fake.services.uiNotificationService.show).toHaveBeenLastCalledWith(
      expect.objectContaining({ type: 'error', title: 'Not all images were masked', message: expect.stringContaining('Reload the page to see them.') }),
    );
  } finally {
    vi.useRealTimers();
    vi.restoreAllMocks();
  }
});

describe('the job list', () => {
  const hasOlder = new Observable(false);
  const older = vi.fn(async () => undefined);
  const show = async (...jobs: FollowedJob[]): Promise<HTMLElement> => render(<JobList jobs={{ jobs: new Observable<readonly FollowedJob[]>(jobs), hasOlder, older, certificate, cancel, confirm: vi.fn(), decline: vi.fn() }} me={{ subject: 'mia', name: 'Mia Masker', permissions: ['mask'] }} show={vi.fn()} />);
  const cancel = vi.fn(async () => undefined);
  const certificate = vi.fn(async () => new Blob());

  test('a running job has a progress bar with n of m and the time left', async () => {
    const list = await show({ job: aJob({ done: 1, secondsLeft: 20 }), connection: 'live' });
    const bar = list.querySelector('[role="progressbar"]');
    expect(bar?.getAttribute('aria-valuenow')).toBe('1');
    expect(bar?.getAttribute('aria-valuetext')).toBe('1 of 3 images');
    expect(byCy('image-masking-job-progress').textContent).toBe('1 of 3 images · 20 seconds left');
  });

  test('older jobs are shown when asked, those of the sidecar too, until none is left', async () => {
    const ended = (count: number): FollowedJob[] => Array.from({ length: count }, (_none, index) => ({ job: aJob({ id: `j${index}`, state: 'succeeded', done: 3 }), connection: 'live' as const }));
    hasOlder.set(true);
    const list = await show({ job: aJob(), connection: 'live' }, ...ended(50));
    expect(list.querySelectorAll('[data-cy="image-masking-job"]')).toHaveLength(6);
    const more = (): HTMLElement => byCy('image-masking-jobs-older');
    expect(more().textContent).toBe('Show older jobs');
    await click(more());
    expect(list.querySelectorAll('[data-cy="image-masking-job"]')).toHaveLength(26);
    expect(older).not.toHaveBeenCalled();
    await click(more());
    await click(more());
    expect(older).toHaveBeenCalledOnce();
    expect(list.querySelectorAll('[data-cy="image-masking-job"]')).toHaveLength(51);
    await act(async () => hasOlder.set(false));
    expect(list.querySelector('[data-cy="image-masking-jobs-older"]')).toBeNull();
  });

  test('a failed job says first how many images failed, then how many are masked', async () => {
    const list = await show({ job: aJob({ state: 'failed', total: 40, done: 39, failed: 1 }), connection: 'live' });
    expect(list.querySelector('.image-masking-bad')?.textContent).toBe('1 of 40 images failed');
    expect(list.textContent).toMatch(/1 of 40 images failed.*39 images masked/);
    localStorage.setItem('i18nextLng', 'de');
    const german = await show({ job: aJob({ state: 'failed', total: 40, done: 39, failed: 1 }), connection: 'live' });
    localStorage.removeItem('i18nextLng');
    expect(german.querySelector('.image-masking-bad')?.textContent).toBe('1 von 40 Bildern fehlgeschlagen');
  });

  test('a finished job hands out its certificate, and says why it cannot', async () => {
    const saved = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => undefined);
    await show({ job: aJob({ state: 'succeeded', done: 3 }), connection: 'live' });
    await click(byCy('image-masking-certificate'));
    expect(certificate).toHaveBeenCalledOnce();
    expect(saved).toHaveBeenCalledOnce();
    certificate.mockRejectedValueOnce(new SidecarProblem(409, 'urn:sidecar:problem:no-certificate', 'The mask job is not finished.'));
    await click(byCy('image-masking-certificate'));
    expect(document.querySelector('[role="alert"]')?.textContent).toContain('The mask job is not finished.');
  });

  test('a running job can be cancelled, a finished one cannot, and a refusal is said', async () => {
    await show({ job: aJob({ done: 1 }), connection: 'live' });
    await click(byCy('image-masking-job-cancel'));
    expect(cancel).toHaveBeenCalledOnce();
    cancel.mockRejectedValueOnce(new SidecarProblem(409, 'urn:sidecar:problem:job-ended', 'The mask job has ended already.'));
    await click(byCy('image-masking-job-cancel'));
    expect(document.querySelector('[role="alert"]')?.textContent).toContain('The mask job has ended already.');
    const ended = await show({ job: aJob({ state: 'succeeded', done: 3 }), connection: 'live' });
    expect(ended.querySelector('[data-cy="image-masking-job-cancel"]')).toBeNull();
  });

  test('a running job has no certificate yet', async () => {
    const list = await show({ job: aJob({ done: 1 }), connection: 'live' });
    expect(list.querySelector('[data-cy="image-masking-certificate"]')).toBeNull();
  });

  test('a failed job names each image and its reason', async () => {
    const failures = [{ seriesInstanceUid: '1.1', sopInstanceUid: '1.1.9', instanceNumber: 9, reason: 'The pixels could not be read back.' }];
    const list = await show({ job: aJob({ state: 'failed', done: 2, failed: 1, failures }), connection: 'live' });
    expect(list.textContent).toContain('1 image was not masked:');
    expect(byCy('image-masking-failure').textContent).toBe('Image 9: The pixels could not be read back.');
  });

  test('a job whose news stopped says so', async () => {
    const list = await show({ job: aJob(), connection: 'lost', problem: new SidecarProblem(0, 'unreachable', '') });
    expect(list.querySelector('[role="alert"]')?.textContent).toContain('does not answer');
  });
});
