import { act } from 'react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { cornerstoneLibraries } from '../src/host/ohif';
import { Observable } from '../src/host/observable';
import { AwaitingJobs } from '../src/jobs/AwaitingJobs';
import { JobList } from '../src/jobs/JobList';
import { JobStore, type FollowedJob } from '../src/jobs/JobStore';
import { MaskPanel } from '../src/masks/MaskPanel';
import { MaskStore } from '../src/masks/MaskStore';
import { closeSessions, openSessionIfPermitted } from '../src/openSession';
import { currentSession } from '../src/session';
import { createSidecarClient, SidecarProblem, type SidecarClient } from '../src/sidecar/client';
import type { MaskJobView, Me } from '../src/sidecar/types';
import { aStudy, fakeFindings } from './aStudy';
import { fakeHost } from './fakeHost';
import { byCy, click, press, render, type } from './render';
import { aJob, jsonResponse } from './support';

const awaiting = (changes: Partial<MaskJobView> = {}): MaskJobView => aJob({ state: 'awaitingConfirmation', reason: 'wrong banner', ...changes });
const ann: Me = { subject: 'ann', name: 'Ann Other', permissions: ['mask', 'confirm'] };
const mia: Me = { subject: 'mia', name: 'Mia Masker', permissions: ['mask', 'confirm'] };
const byName = (name: string): HTMLElement | null => document.querySelector<HTMLElement>(`[data-cy="image-masking-${name}"]`);

afterEach(() => localStorage.clear());

describe('a job that waits for a second person', () => {
  const [confirm, decline, cancel, shown] = [vi.fn(async () => undefined), vi.fn(async () => undefined), vi.fn(async () => undefined), vi.fn()];
  const show = (job: MaskJobView, me: Me): Promise<HTMLElement> => {
    const followed: FollowedJob[] = [{ job, connection: 'live' }];
    return render(<JobList jobs={{ jobs: new Observable<readonly FollowedJob[]>(followed), hasOlder: new Observable(false), older: vi.fn(), certificate: vi.fn(), cancel, confirm, decline }} me={me} show={shown} />);
  };
  beforeEach(() => vi.clearAllMocks());

  test('says so, in both languages, and shows no progress', async () => {
    const list = await show(awaiting(), ann);
    expect(list.textContent).toContain('Waits for a second person');
    expect(list.textContent).toContain('3 images, 3 frames would change; nothing is changed yet · wrong banner');
    expect(list.querySelector('[role="progressbar"]')).toBeNull();
    localStorage.setItem('i18nextLng', 'de');
    const german = await show(awaiting(), ann);
    expect(german.textContent).toContain('Wartet auf eine zweite Person');
    expect([...german.querySelectorAll('button')].map(button => button.textContent)).toEqual(['Masken zeigen oder verbergen', 'Bestätigen', 'Ablehnen']);
  });

  test('is confirmed by keyboard alone, the reason being free', async () => {
    await show(awaiting(), ann);
    await click(byCy('image-masking-confirm'));
    expect(document.activeElement).toBe(byCy('image-masking-decide-reason'));
    expect(byCy('image-masking-decide').textContent).toContain('cannot be undone');
    await act(async () => byCy('image-masking-decide').closest('form')?.requestSubmit());
    expect(confirm).toHaveBeenCalledExactlyOnceWith(awaiting(), '');
  });

  test('is declined with a reason only, and Escape goes back to the button', async () => {
    vi.useFakeTimers();
    await show(awaiting(), ann);
    await click(byCy('image-masking-decline'));
    expect(byCy('image-masking-decide-send')).toHaveProperty('disabled', true);
    await press('Escape');
    await act(async () => vi.advanceTimersByTimeAsync(0));
    vi.useRealTimers();
    expect(document.activeElement).toBe(byCy('image-masking-decline'));
    await click(byCy('image-masking-decline'));
    await type(byCy('image-masking-decide-reason'), ' too wide ');
    await click(byCy('image-masking-decide-send'));
    expect(decline).toHaveBeenCalledExactlyOnceWith(awaiting(), 'too wide');
    expect(confirm).not.toHaveBeenCalled();
  });

  test('says why it was not confirmed', async () => {
    confirm.mockRejectedValueOnce(new SidecarProblem(409, 'urn:sidecar:problem:images-changed', 'Since this was approved, images of it were masked.'));
    await show(awaiting(), ann);
    await click(byCy('image-masking-confirm'));
    await click(byCy('image-masking-decide-send'));
    expect(document.querySelector('[role="alert"]')?.textContent).toContain('Since this was approved');
    expect(byCy('image-masking-decide-send')).toHaveProperty('disabled', false);
    confirm.mockRejectedValueOnce(new SidecarProblem(403, 'urn:sidecar:problem:own-approval', 'You approved this masking yourself.'));
    await click(byCy('image-masking-decide-send'));
    expect(document.querySelector('[role="alert"]')?.textContent).toContain('You approved this masking yourself.');
  });

  test('is only cancelled by whoever approved it', async () => {
    const own = await show(awaiting(), mia);
    expect(own.textContent).toContain('You approved this; another person has to confirm it.');
    expect([byName('confirm'), byName('decline')]).toEqual([null, null]);
    await click(byCy('image-masking-job-cancel'));
    expect(cancel).toHaveBeenCalledOnce();
  });

  test('shows its masks to others, who without the permission decide nothing', async () => {
    const list = await show(awaiting(), { ...ann, permissions: ['mask'] });
    expect(list.textContent).toContain('A person who may confirm it has to look at it.');
    expect([byName('confirm'), byName('decline'), byName('job-cancel')]).toEqual([null, null, null]);
    await click(byCy('image-masking-show'));
    expect(shown).toHaveBeenCalledOnce();
  });

  test('tells afterwards who decided and why', async () => {
    await show(awaiting({ state: 'declined', decision: { at: '2026-01-01T11:00:00Z', by: 'Ann Other', reason: 'too wide' } }), mia);
    expect(byCy('image-masking-decision').textContent).toBe('Declined by Ann Other: too wide');
    expect(byCy('image-masking-job').textContent).toContain('Declined');
    document.body.replaceChildren();
    await show(awaiting({ state: 'running', decision: { at: '2026-01-01T11:00:00Z', by: 'Ann Other' } }), mia);
    expect(byCy('image-masking-decision').textContent).toBe('Confirmed by Ann Other');
  });
});

describe('the store', () => {
  test('keeps no stream open for a job that waits, and follows it once it is confirmed', async () => {
    const events = vi.fn(async function* () {
      yield aJob({ state: 'succeeded', done: 3 });
    });
    let listed = awaiting();
    const onFinished = vi.fn();
    const onCreated = vi.fn();
    const store = new JobStore({ jobsOfStudy: async () => ({ jobs: [listed] }), jobEvents: events } as unknown as SidecarClient, { onFinished });
    await store.start(async () => awaiting(), onCreated);
    await store.look(['1.2']);
    expect([onCreated.mock.calls.length, events.mock.calls.length]).toEqual([1, 0]);
    expect(store.jobs.get().map(({ job }) => job.state)).toEqual(['awaitingConfirmation']);
    listed = aJob({ state: 'queued' });
    await store.look(['1.2']);
    await vi.waitFor(() => expect(onFinished).toHaveBeenCalledOnce());
    expect(events).toHaveBeenCalledOnce();
  });

  test('takes the answer to a word of the second person at once', async () => {
    const asked: string[] = [];
    const fetch = vi.fn(async (path: unknown, init?: RequestInit) => {
      asked.push(`${String(path)} ${String(init?.body)}`);
      return jsonResponse(awaiting({ state: 'declined', decision: { at: '2026-01-01T11:00:00Z', by: 'Ann', reason: 'no' } }));
    });
    const onFinished = vi.fn();
    const store = new JobStore(createSidecarClient({ authorization: () => ({}), fetch: fetch as typeof globalThis.fetch }), { onFinished });
    await store.decline(awaiting(), 'no');
    expect(store.jobs.get()[0]?.job.state).toBe('declined');
    await store.confirm(awaiting({ id: 'job-2' }), '');
    expect(asked).toEqual(['/api/mask-jobs/job-1/decline {"reason":"no"}', '/api/mask-jobs/job-2/confirm {}']);
  });
});

describe('in the viewer', () => {
  let fake: ReturnType<typeof fakeHost>;
  let masks: MaskStore;
  const leave = new AbortController();
  beforeEach(() => {
    fake = fakeHost();
    masks = new MaskStore(cornerstoneLibraries(fake.host.extensionManager));
  });
  afterEach(() =>
    act(() => {
      closeSessions();
      masks.dispose();
    }),
  );

  const enter = (me: Me, client: Partial<SidecarClient>): Promise<void> =>
    act(async () => openSessionIfPermitted(fake.host, { masking: { me: async () => me, jobsOfStudy: async () => ({ jobs: [] }), ...client } as unknown as SidecarClient, findings: fakeFindings(aStudy([])).client }, masks, leave.signal));

  test('one who may only confirm sees the jobs and draws nothing', async () => {
    await enter({ subject: 'otto', name: 'Otto', permissions: ['confirm'] }, {});
    const panel = await render(<MaskPanel run={vi.fn()} />);
    expect(panel.textContent).toContain('No masking jobs for this study.');
    expect(byName('add')).toBeNull();
    expect(fake.services.toolbarService.register).not.toHaveBeenCalled();
    currentSession.get()?.startDrawing();
    expect(currentSession.get()?.drawing.get()).toBe(false);
  });

  test('the masks of a job are shown, locked, and gone when it is declined', async () => {
    const job = awaiting({ source: { seriesInstanceUid: '1.1', sopInstanceUid: '1.1.1' }, regions: [{ x: 10, y: 20, width: 30, height: 40 }] });
    const declined: MaskJobView = { ...job, state: 'declined', finishedAt: new Date().toISOString(), decision: { at: '', by: 'Ann Other', reason: 'no' } };
    await enter(ann, { jobsOfStudy: async () => ({ jobs: [job] }), declineJob: async () => declined });
    const session = currentSession.get();
    vi.spyOn(session!.services.displaySetService, 'getActiveDisplaySets').mockReturnValue([{ displaySetInstanceUID: 'd', instances: [{ SOPInstanceUID: '1.1.1' }] }] as never);
    const change = vi.fn();
    Object.assign(session!.services.viewportGridService, { setDisplaySetsForViewport: change });
    await act(async () => session?.showApproved(job));
    expect(change).toHaveBeenCalledOnce();
    expect(masks.masks.get().map(({ region, burning }) => [region, burning])).toEqual([[{ x: 10, y: 20, width: 30, height: 40 }, true]]);
    // What they cover is to be seen, too.
    await act(async () => session?.showApproved(job));
    expect(masks.masks.get()).toEqual([]);
    await act(async () => session?.showApproved(job));
    expect(masks.masks.get()).toHaveLength(1);
    await act(async () => session?.jobs.decline(job, 'no'));
    expect(masks.masks.get()).toEqual([]);
  });

  test('whoever approved is told that it waits, and that it was declined; the masks are kept', async () => {
    const job = awaiting();
    let now: MaskJobView = job;
    await enter(mia, { createJob: async () => job, jobsOfStudy: async () => ({ jobs: [now] }) });
    fake.draw('a', { x: 10, y: 20, width: 30, height: 40 });
    const session = currentSession.get();
    await act(async () => session?.approve({} as never, 'key', ['a']));
    expect(fake.services.uiNotificationService.show).toHaveBeenLastCalledWith(expect.objectContaining({ type: 'info', title: 'Waits for a second person' }));
    expect(masks.masks.get()[0]?.burning).toBe(true);
    now = { ...job, state: 'declined', finishedAt: new Date().toISOString(), decision: { at: '', by: 'Ann Other', reason: 'too wide' } };
    await act(async () => session?.jobs.look(['1.2']));
    expect(fake.services.uiNotificationService.show).toHaveBeenLastCalledWith(expect.objectContaining({ title: 'Masking declined', message: 'Ann Other declined it (too wide). Nothing was changed; your masks are kept.' }));
    expect(masks.masks.get()[0]?.burning).toBe(false);
  });
});

test('the pages list what waits for this person in all studies, and nothing of the own', async () => {
  const jobs = [awaiting({ id: 'a', studyInstanceUid: '1.2&3' }), awaiting({ id: 'b', createdBySubject: 'ann' })];
  const page = await render(<AwaitingJobs client={{ awaitingJobs: async () => ({ jobs }) }} me={ann} />);
  expect(page.textContent).toContain('1 masking waits for a second person');
  expect([...page.querySelectorAll('a')].map(a => a.getAttribute('href'))).toEqual(['/viewer?StudyInstanceUIDs=1.2%263']);
  expect((await render(<AwaitingJobs client={{ awaitingJobs: async () => ({ jobs: jobs.slice(1) }) }} me={ann} />)).textContent).toBe('');
});

test('what others approved is found behind a list full of the own, and the rest is shown when asked', async () => {
  const some = (prefix: string, createdBySubject: string, count = 50): MaskJobView[] => Array.from({ length: count }, (_none, index) => awaiting({ id: `${prefix}${index}`, createdBySubject }));
  const lists: Record<string, { jobs: MaskJobView[]; next?: string }> = { '': { jobs: some('own', 'ann'), next: 'own49' }, own49: { jobs: some('a', 'mia'), next: 'a49' }, a49: { jobs: some('b', 'mia', 3) } };
  const page = await render(<AwaitingJobs client={{ awaitingJobs: async after => lists[after ?? '']! }} me={ann} />);
  expect(page.querySelectorAll('li')).toHaveLength(50);
  expect(page.querySelector('h2')?.textContent).toBe('More than 50 maskings wait for a second person');
  await click([...page.querySelectorAll('button')].find(button => button.textContent === 'Show more')!);
  expect(page.querySelectorAll('li')).toHaveLength(53);
  expect(page.querySelector('h2')?.textContent).toBe('53 maskings wait for a second person');
  expect(page.querySelector('button')).toBeNull();
});
