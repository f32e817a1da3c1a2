import { expect, test, vi } from 'vitest';
import { Observable } from '../src/host/observable';
import { JobList } from '../src/jobs/JobList';
import type { FollowedJob } from '../src/jobs/JobStore';
import type { MaskJobView } from '../src/sidecar/types';
import { render } from './render';
import { aJob } from './support';

const show = (job: MaskJobView): Promise<HTMLElement> =>
  render(
    <JobList
      jobs={{ jobs: new Observable<readonly FollowedJob[]>([{ job, connection: 'live' }]), hasOlder: new Observable(false), older: vi.fn(), certificate: vi.fn(), cancel: vi.fn(), confirm: vi.fn(), decline: vi.fn() }}
      me={{ subject: 'mia', name: 'Mia Masker', permissions: ['mask'] }}
      show={vi.fn()}
    />,
  );

test('a job that put originals back never reads as one that masked', async () => {
  const list = await show(aJob({ state: 'succeeded', done: 3, restoresJob: 'job-0' }));
  expect(list.textContent).toContain('3 originals restored');
  expect(list.textContent).not.toContain('masked');
  expect(list.querySelector('[data-cy="image-masking-certificate"]')).toBeNull();
  expect((await show(aJob({ restoresJob: 'job-0' }))).textContent).toContain('Restoring');
  const failed = await show(aJob({ state: 'failed', done: 2, failed: 1, restoresJob: 'job-0' }));
  expect(failed.textContent).toContain('1 of 3 images failed');
  expect(failed.textContent).not.toContain('masked');
});

test('a masking that was undone says so', async () => {
  const list = await show(aJob({ state: 'succeeded', done: 1, restored: 2 }));
  expect(list.querySelector('.image-masking-bad')?.textContent).toBe('2 originals restored');
});
