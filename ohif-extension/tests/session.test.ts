import { expect, test, vi } from 'vitest';
import type { Tokens } from '../src/pages/logIn';
import { Session } from '../src/pages/Session';

const first: Tokens = { access_token: 'a1', expires_in: 3600, refresh_token: 'r1' };

function session(tokens = first, renew = vi.fn(async (_refreshToken: string): Promise<Tokens | undefined> => ({ access_token: 'a2', expires_in: 3600 }))) {
  let now = 0;
  const made = new Session(tokens, renew, () => now);
  return { session: made, renew, at: (seconds: number) => void (now = seconds * 1000), bearer: async () => (await made.authorization())['Authorization'] };
}

test('The token is renewed a minute before its end, once for all requests, and again with the same refresh token where no other came', async () => {
  const { renew, at, bearer } = session();
  at(3539);
  expect(await bearer()).toBe('Bearer a1');
  at(3540);
  expect(await Promise.all([bearer(), bearer()])).toEqual(['Bearer a2', 'Bearer a2']);
  at(2 * 3540);
  await bearer();
  expect(renew.mock.calls).toEqual([['r1'], ['r1']]);
});

test('A short-lived token is renewed after half its life', async () => {
  const { renew, at, bearer } = session({ ...first, expires_in: 60 });
  at(29);
  await bearer();
  expect(renew).not.toHaveBeenCalled();
  at(30);
  expect(await bearer()).toBe('Bearer a2');
});

test('A provider that refuses ends the session, and is not asked again', async () => {
  const { session: ended, renew, at, bearer } = session(first, vi.fn(async () => undefined));
  at(3600);
  expect(await bearer()).toBe('Bearer a1');
  expect(ended.ended.get()).toBe(true);
  await bearer();
  expect(renew).toHaveBeenCalledOnce();
});

test('A provider that does not answer is asked again with the next request', async () => {
  const renew = vi.fn(async (): Promise<Tokens | undefined> => ({ access_token: 'a2' }));
  renew.mockRejectedValueOnce(new Error('down'));
  const { session: open, at, bearer } = session(first, renew);
  at(3600);
  expect(await bearer()).toBe('Bearer a1');
  expect(open.ended.get()).toBe(false);
  expect(await bearer()).toBe('Bearer a2');
});

test('Without a refresh token nothing is renewed, and the first refusal of the sidecar ends the session', async () => {
  const { session: open, renew, at, bearer } = session({ access_token: 'a1', expires_in: 3600 });
  at(4000);
  expect(await bearer()).toBe('Bearer a1');
  expect(renew).not.toHaveBeenCalled();
  open.heard(200);
  open.heard(403);
  expect(open.ended.get()).toBe(false);
  open.heard(401);
  expect(open.ended.get()).toBe(true);
});
