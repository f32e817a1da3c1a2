import { expect, test, vi } from 'vitest';
import { logIn, renewTokens, type LoginPage } from '../src/pages/logIn';
import { jsonResponse } from './support';

const settings = { authority: 'https://idp.example/', client_id: 'ohif', scope: 'openid profile' };
const discovery = { issuer: 'https://idp.example', authorization_endpoint: 'https://idp.example/auth', token_endpoint: 'https://idp.example/token' };

function pageAt(href: string, store = new Map<string, string>()) {
  const fetch = vi.fn(async (address: string | URL | Request, _init?: RequestInit) =>
    String(address).endsWith('/token') ? jsonResponse({ access_token: 'token-1', expires_in: 3600, refresh_token: 'refresh-1' }) : jsonResponse(discovery),
  );
  const page = {
    location: { href, origin: 'https://viewer.example', pathname: new URL(href).pathname, search: new URL(href).search, assign: vi.fn<(address: string | URL) => void>() },
    history: { replaceState: vi.fn() },
    storage: { getItem: (name: string) => store.get(name) ?? null, setItem: (name: string, value: string) => void store.set(name, value), removeItem: (name: string) => void store.delete(name) },
    fetch: fetch as unknown as typeof globalThis.fetch,
  } satisfies LoginPage;
  return { page, fetch, store };
}

async function leave() {
  const { page, store } = pageAt('https://viewer.example/worklist?state=new');
  expect(await logIn(settings, page)).toBeUndefined();
  return { asked: new URL(String(page.location.assign.mock.calls[0]?.[0])), store };
}

test('The first visit leaves for the provider with a challenge whose secret stays here', async () => {
  const { asked, store } = await leave();
  expect(asked.origin + asked.pathname).toBe('https://idp.example/auth');
  expect(Object.fromEntries(asked.searchParams)).toMatchObject({
    client_id: 'ohif', redirect_uri: 'https://viewer.example/signed-in', response_type: 'code', scope: 'openid profile', code_challenge_method: 'S256',
  });
  const { verifier, state } = JSON.parse([...store.values()][0] ?? '') as { verifier: string; state: string };
  expect(asked.searchParams.get('state')).toBe(state);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
  expect(asked.searchParams.get('code_challenge')).toBe(btoa(String.fromCharCode(...digest)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''));
  expect(asked.href).not.toContain(verifier);
});

test('The return redeems the code with the secret, and goes on to the page that was opened', async () => {
  const { asked, store } = await leave();
  const { verifier } = JSON.parse([...store.values()][0] ?? '') as { verifier: string };
  const { page, fetch } = pageAt(`https://viewer.example/signed-in?code=c1&state=${asked.searchParams.get('state')}&iss=https%3A%2F%2Fidp.example`, store);
  expect(await logIn(settings, page)).toEqual({ access_token: 'token-1', expires_in: 3600, refresh_token: 'refresh-1' });
  const body = new URLSearchParams(String(fetch.mock.calls.at(-1)?.[1]?.body));
  expect(Object.fromEntries(body)).toEqual({
    grant_type: 'authorization_code', client_id: 'ohif', redirect_uri: 'https://viewer.example/signed-in', code: 'c1', code_verifier: verifier,
  });
  expect(page.history.replaceState).toHaveBeenCalledWith(null, '', '/worklist?state=new');
  expect(store.size).toBe(0);
});

test.each([
  ['another state', '?code=c1&state=other', 'does not belong to this page'],
  ['another provider', '?code=c1&state=STATE&iss=https%3A%2F%2Fevil.example', 'another identity provider'],
  ['a refusal', '?error=access_denied&error_description=No+role', 'refused the log-in: No role'],
])('A return with %s gives no token', async (_name, query, sentence) => {
  const { asked, store } = await leave();
  const { page, fetch } = pageAt(`https://viewer.example/signed-in${query.replace('STATE', asked.searchParams.get('state') ?? '')}`, store);
  await expect(logIn(settings, page)).rejects.toThrow(sentence);
  expect(fetch.mock.calls.filter(([address]) => String(address).endsWith('/token'))).toEqual([]);
});

test('A code that this page did not ask for starts a log-in of its own', async () => {
  const { page } = pageAt('https://viewer.example/audit?code=stolen&state=x');
  expect(await logIn(settings, page)).toBeUndefined();
  expect(page.location.assign).toHaveBeenCalledOnce();
});

test('A refresh token is exchanged; a provider that refuses gives nothing, one that does not answer is a fault', async () => {
  const { page, fetch } = pageAt('https://viewer.example/worklist');
  expect(await renewTokens(settings, page, 'refresh-0')).toMatchObject({ access_token: 'token-1', refresh_token: 'refresh-1' });
  expect(Object.fromEntries(new URLSearchParams(String(fetch.mock.calls.at(-1)?.[1]?.body)))).toEqual({ grant_type: 'refresh_token', client_id: 'ohif', refresh_token: 'refresh-0' });
  const answering = (status: number): typeof globalThis.fetch => async address => (String(address).endsWith('/token') ? jsonResponse({ error: 'invalid_grant' }, status) : jsonResponse(discovery));
  expect(await renewTokens(settings, { fetch: answering(400) }, 'refresh-0')).toBeUndefined();
  await expect(renewTokens(settings, { fetch: answering(503) }, 'refresh-0')).rejects.toThrow('does not answer');
});
