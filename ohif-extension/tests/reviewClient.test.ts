import { expect, test, vi } from 'vitest';
import { createPageClient } from '../src/sidecar/pageClient';
import { createFindingsClient } from '../src/sidecar/reviewClient';
import { jsonResponse } from './support';

function recorder(answer: () => Response = () => jsonResponse({})) {
  const fetch = vi.fn(async (_address: string, _init?: RequestInit) => answer());
  const options = { authorization: () => ({ Authorization: 'Bearer t' }), fetch: fetch as unknown as typeof globalThis.fetch };
  const last = () => {
    const [address, init] = fetch.mock.lastCall ?? [];
    return [init?.method ?? 'GET', address, init?.body ? JSON.parse(String(init.body)) : undefined];
  };
  return { options, fetch, last };
}

test('each request of the findings panel goes where the sidecar waits for it', async () => {
  const { options, fetch, last } = recorder();
  const client = createFindingsClient(options);
  await client.findings('1.2');
  expect(last()).toEqual(['GET', '/api/scan-findings?study=1.2', undefined]);
  await client.decide({ study: '1.2', decisions: [{ clusterId: 'c', action: 'accept' }] });
  expect(last()).toEqual(['POST', '/api/scan-findings/decisions', { study: '1.2', decisions: [{ clusterId: 'c', action: 'accept' }] }]);
  await client.apply('1.2', undefined, 'key-1');
  expect(last()).toEqual(['POST', '/api/scan-findings/apply', { study: '1.2' }]);
  expect(fetch.mock.lastCall?.[1]?.headers).toMatchObject({ 'Idempotency-Key': 'key-1', 'Authorization': 'Bearer t' });
  await client.scan('1.2');
  expect(last()).toEqual(['POST', '/api/scans', { study: '1.2' }]);
  await client.finalize('1.2');
  expect(last()).toEqual(['POST', '/api/reviews/1.2/finalize', {}]);
  await client.reopen('1.2', 'why');
  expect(last()).toEqual(['POST', '/api/reviews/1.2/reopen', { reason: 'why' }]);
});

test('the pages ask with filters that are set, and 204 means that there is no sample', async () => {
  const { options, last } = recorder();
  const client = createPageClient(options);
  await client.reviews({ state: 'new', modality: undefined, station: '' }, 50, 50);
  expect(last()[1]).toBe('/api/reviews?state=new&offset=50&limit=50');
  await client.take('1.2');
  expect(last()).toEqual(['PUT', '/api/reviews/1.2', { state: 'inReview' }]);
  await client.deleteTemplate('a/b');
  expect(last()).toEqual(['DELETE', '/api/mask-templates/a%2Fb', undefined]);
  await client.steerScan('r', 'pause');
  expect(last()).toEqual(['POST', '/api/scans/r/pause', undefined]);
  expect(await createPageClient(recorder(() => new Response(null, { status: 204 })).options).nextSample()).toBeUndefined();
});
