import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { JobStore } from '../src/jobs/JobStore';
import { SidecarProblem, type SidecarClient } from '../src/sidecar/client';
import type { MaskJobView } from '../src/sidecar/types';
import { aJob } from './support';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function fakeClient(changes: Partial<SidecarClient>): SidecarClient {
  const unexpected = (): never => {
    throw new Error('not expected');
  };
  return { me: unexpected, preview: unexpected, createJob: unexpected, job: unexpected, jobsOfStudy: unexpected, cancelJob: unexpected, confirmJob: unexpected, declineJob: unexpected, certificatePage: unexpected, jobEvents: unexpected, ...changes };
}

async function* events(...jobs: MaskJobView[]): AsyncGenerator<MaskJobView, void, void> {
  yield* jobs;
}

test('a job is followed by its stream to its end', async () => {
  const onFinished = vi.fn();
  const onProgress = vi.fn();
  const end = aJob({ state: 'succeeded', done: 3 });
  const store = new JobStore(
    fakeClient({ jobEvents: () => events(aJob({ done: 1 }), end) }),
    { onFinished, onProgress },
  );
  await store.start(async () => aJob({ state: 'queued' }), () => undefined);
  await vi.advanceTimersByTimeAsync(0);
  expect(onProgress.mock.calls.map(([job]) => job.done)).toEqual([1]);
  expect(onFinished).toHaveBeenCalledExactlyOnceWith(end);
  expect(store.jobs.get().map(followed => followed.job.state)).toEqual(['succeeded']);
});

test('a stream that breaks is replaced by asking every two seconds', async () => {
  const answers = [aJob({ done: 1 }), aJob({ done: 2 }), aJob({ done: 3, state: 'succeeded' })];
  const job = vi.fn(async () => answers.shift() ?? aJob());
  const onFinished = vi.fn();
  const store = new JobStore(
    fakeClient({
      job,
      jobEvents: async function* () {
        yield aJob();
        throw new SidecarProblem(0, 'unreachable', '');
      },
    }),
    { onFinished },
  );
  await store.start(async () => aJob(), () => undefined);
  await vi.advanceTimersByTimeAsync(0);
  expect(store.jobs.get()[0]).toMatchObject({ connection: 'polling', job: { done: 1 } });
  await vi.advanceTimersByTimeAsync(1_999);
  expect(job).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(job).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(onFinished).toHaveBeenCalledOnce();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(job).toHaveBeenCalledTimes(3);
});

test('while nobody answers the job is shown as lost, and found again later', async () => {
  let down = true;
  const store = new JobStore(
    fakeClient({
      jobEvents: () => events(),
      job: async () => {
        if (down) {
          throw new SidecarProblem(503, 'x', '');
        }
        return aJob({ done: 2 });
      },
    }),
    { onFinished: vi.fn() },
  );
  await store.start(async () => aJob(), () => undefined);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(store.jobs.get()[0]?.connection).toBe('lost');
  down = false;
  await vi.advanceTimersByTimeAsync(30_000);
  expect(store.jobs.get()[0]).toMatchObject({ connection: 'polling', job: { done: 2 } });
  store.dispose();
});

test('a job that no longer exists is given up and said so', async () => {
  const onGone = vi.fn();
  const job = vi.fn(async () => Promise.reject(new SidecarProblem(404, 'x', 'No such job.')));
  const store = new JobStore(fakeClient({ jobEvents: () => events(), job }), { onFinished: vi.fn(), onGone });
  await store.start(async () => aJob(), () => undefined);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(store.jobs.get()[0]).toMatchObject({ connection: 'gone', problem: { message: 'No such job.' } });
  expect(onGone).toHaveBeenCalledOnce();
  expect(job).toHaveBeenCalledOnce();
});

test('an answer that came late, for a job that has ended already, still names the job first', async () => {
  const order: string[] = [];
  const store = new JobStore(fakeClient({}), { onFinished: () => order.push('finished') });
  await store.start(async () => aJob({ state: 'succeeded', done: 3 }), () => order.push('created'));
  expect(order).toEqual(['created', 'finished']);
});

test('look_AfterAReload_FollowsWhatRuns_AndDoesNotAnnounceWhatEndedBefore', async () => {
  const openedAt = Date.parse('2026-01-01T12:00:00Z');
  const onFinished = vi.fn();
  const running = aJob({ id: 'running' });
  const old = aJob({ id: 'old', state: 'succeeded', finishedAt: '2026-01-01T10:05:00Z' });
  const jobEvents = vi.fn(() => events(aJob({ id: 'running', state: 'succeeded', done: 3 })));
  const store = new JobStore(fakeClient({ jobsOfStudy: async () => ({ jobs: [running, old] }), jobEvents }), { onFinished }, openedAt);
  await store.look(['1.2']);
  await vi.advanceTimersByTimeAsync(0);
  expect(jobEvents).toHaveBeenCalledExactlyOnceWith('running', expect.anything());
  expect(onFinished.mock.calls.map(([job]) => job.id)).toEqual(['running']);
  expect(store.jobs.get()).toHaveLength(2);
});

test('look_JobOfAnotherTabEndedBetweenTwoLooks_IsAnnouncedOnce', async () => {
  const onFinished = vi.fn();
  let jobs: MaskJobView[] = [];
  const store = new JobStore(fakeClient({ jobsOfStudy: async () => ({ jobs }) }), { onFinished });
  await store.look(['1.2']);
  jobs = [aJob({ id: 'other', state: 'failed', done: 2, failed: 1, finishedAt: '2020-01-01T00:00:00Z' })];
  await store.look(['1.2']);
  await store.look(['1.2']);
  expect(onFinished).toHaveBeenCalledOnce();
});

test('watch_AsksAtAModestPace_AndNotWhileHidden', async () => {
  const jobsOfStudy = vi.fn(async () => ({ jobs: [] }));
  let visible = true;
  const store = new JobStore(fakeClient({ jobsOfStudy }), { onFinished: vi.fn() });
  void store.watch(
    () => ['1.2'],
    () => visible,
  );
  await vi.advanceTimersByTimeAsync(30_000);
  expect(jobsOfStudy).toHaveBeenCalledTimes(4);
  visible = false;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(jobsOfStudy).toHaveBeenCalledTimes(4);
  store.dispose();
  visible = true;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(jobsOfStudy).toHaveBeenCalledTimes(4);
});

test('older jobs are asked for page by page, and nobody is told of their end', async () => {
  const aPast = (id: string): MaskJobView => aJob({ id, state: 'succeeded', done: 3, createdAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:01:00Z' });
  const pages: Record<string, { jobs: MaskJobView[]; next?: string }> = { '': { jobs: [aPast('j4')], next: 'j4' }, j4: { jobs: [aPast('j3'), aPast('j2')], next: 'j2' }, j2: { jobs: [aPast('j1')] } };
  const jobsOfStudy = vi.fn(async (_study: string, before = '') => pages[before]!);
  const onFinished = vi.fn();
  const store = new JobStore(fakeClient({ jobsOfStudy }), { onFinished });
  await store.look(['1.2']);
  expect(store.hasOlder.get()).toBe(true);
  await store.older();
  expect(store.jobs.get()).toHaveLength(3);
  // The watch asks for the newest again and again, which must not turn the pages back.
  await store.look(['1.2']);
  await store.older();
  expect(store.jobs.get().map(({ job }) => job.id).sort()).toEqual(['j1', 'j2', 'j3', 'j4']);
  expect(store.hasOlder.get()).toBe(false);
  expect(jobsOfStudy.mock.calls.map(([, before]) => before)).toEqual([undefined, 'j4', undefined, 'j2']);
  expect(onFinished).not.toHaveBeenCalled();
});
