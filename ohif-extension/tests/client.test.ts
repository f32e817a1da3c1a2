import { afterEach, describe, expect, test, vi } from 'vitest';
import { createSidecarClient, newIdempotencyKey, SidecarProblem } from '../src/sidecar/client';
import type { MaskJobView } from '../src/sidecar/types';
import { aJob, jsonResponse, streamOf } from './support';

const request = {
  studyInstanceUid: '1.2',
  source: { seriesInstanceUid: '1.2.3', sopInstanceUid: '1.2.3.4' },
  regions: [{ x: 0, y: 0, width: 5, height: 5 }],
  scope: 'image' as const,
};

function clientOf(fetch: typeof globalThis.fetch, silenceMilliseconds?: number) {
  return createSidecarClient({ authorization: () => ({ Authorization: 'Bearer token-1' }), fetch, silenceMilliseconds });
}

afterEach(() => vi.useRealTimers());

test('createJob_SendsTheBearer_TheKey_AndTheBody', async () => {
  const fetch = vi.fn<typeof globalThis.fetch>(async () => jsonResponse(aJob(), 202));
  await clientOf(fetch).createJob(request, 'key-1');
  const [address, init] = fetch.mock.calls[0] ?? [];
  expect(address).toBe('/api/mask-jobs');
  expect(init?.method).toBe('POST');
  expect(init?.headers).toMatchObject({ 'Authorization': 'Bearer token-1', 'Idempotency-Key': 'key-1', 'Content-Type': 'application/json' });
  expect(JSON.parse(String(init?.body))).toEqual(request);
});

test('authorization_IsAskedBeforeEachRequest_BecauseTokensAreRenewed', async () => {
  const fetch = vi.fn<typeof globalThis.fetch>(async () => jsonResponse({ jobs: [] }));
  let token = 'a';
  const client = createSidecarClient({ authorization: () => ({ Authorization: token }), fetch });
  await client.jobsOfStudy('1.2');
  token = 'b';
  await client.jobsOfStudy('1.2&x');
  expect(fetch.mock.calls.map(([, init]) => (init?.headers as Record<string, string>)['Authorization'])).toEqual(['a', 'b']);
  expect(fetch.mock.calls[1]?.[0]).toBe('/api/mask-jobs?study=1.2%26x');
});

describe('problems', () => {
  test('a ProblemDetails answer keeps its type and sentence', async () => {
    const client = clientOf(async () => jsonResponse({ type: 'urn:sidecar:problem:forbidden', title: 'No', detail: 'You may not.' }, 403));
    const problem = await client.preview(request).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(SidecarProblem);
    expect(problem).toMatchObject({ status: 403, type: 'urn:sidecar:problem:forbidden', message: 'You may not.', mayPass: false });
  });

  test('a gateway page without JSON is a problem that may pass', async () => {
    const problem = await clientOf(async () => new Response('<html>', { status: 502 })).me().catch((error: unknown) => error);
    expect(problem).toMatchObject({ status: 502, mayPass: true });
  });

  test('a page of a proxy in place of JSON is a problem that may pass', async () => {
    const problem = await clientOf(async () => new Response('<html>Sign in</html>')).jobsOfStudy('1.2').catch((error: unknown) => error);
    expect(problem).toMatchObject({ status: 0, type: 'unreadable', mayPass: true });
  });

  test('no network is a problem that may pass', async () => {
    const problem = await clientOf(async () => Promise.reject(new TypeError('failed to fetch'))).me().catch((error: unknown) => error);
    expect(problem).toMatchObject({ status: 0, mayPass: true });
  });
});

test('jobEvents_YieldsEachProgress_AndNoComment', async () => {
  const send = (job: MaskJobView): string => `event: progress\ndata: ${JSON.stringify(job)}\n\n`;
  const text = send(aJob({ done: 1 })) + ': keep-alive\n\n' + send(aJob({ done: 3, state: 'succeeded' }));
  const client = clientOf(async () => new Response(streamOf(text.slice(0, 50), text.slice(50))));
  const seen: string[] = [];
  for await (const job of client.jobEvents('job-1')) {
    seen.push(`${job.state} ${job.done}`);
  }
  expect(seen).toEqual(['running 1', 'succeeded 3']);
});

test('jobEvents_StreamSaysNothingForTooLong_Throws', async () => {
  vi.useFakeTimers();
  const client = clientOf(async (_address, init) => {
    const body = new ReadableStream<Uint8Array>({
      start: controller => init?.signal?.addEventListener('abort', () => controller.error(new Error('aborted'))),
    });
    return new Response(body);
  }, 45_000);
  const reading = client.jobEvents('job-1').next();
  const outcome = expect(reading).rejects.toThrow('aborted');
  await vi.advanceTimersByTimeAsync(45_001);
  await outcome;
});

test('newIdempotencyKey_NeedsNoSecureContext_AndDiffersEachTime', () => {
  const keys = new Set(Array.from({ length: 50 }, newIdempotencyKey));
  expect(keys.size).toBe(50);
  expect([...keys].every(key => /^[0-9a-f]{32}$/.test(key))).toBe(true);
});
