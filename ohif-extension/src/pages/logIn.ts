import { t } from '../i18n';

/** The settings of the viewer's log-in, from app-config.js. */
export interface LoginSettings {
  readonly authority: string;
  readonly client_id: string;
  readonly scope: string;
}

/** What this needs of the browser. */
export interface LoginPage {
  readonly location: Pick<Location, 'href' | 'origin' | 'pathname' | 'search' | 'assign'>;
  readonly history: Pick<History, 'replaceState'>;
  readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  readonly fetch: typeof globalThis.fetch;
}

/** What the token endpoint answers (RFC 6749, 5.1), as far as it is used here. */
export interface Tokens {
  readonly access_token: string;
  /** Seconds. */
  readonly expires_in?: number;
  readonly refresh_token?: string;
}

interface Discovery {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
}

interface BegunLogin {
  readonly state: string;
  readonly verifier: string;
  /** The page that was opened, with its query. */
  readonly returnTo: string;
}

const stored = 'sidecar-page-login';
/** All pages come back to this address: one more to be registered with the identity provider, however many pages there are. */
const returnAddress = '/signed-in';

/**
 * Code flow with PKCE (RFC 7636): the first call leaves for the identity provider and answers `undefined`, the call after the return answers the
 * tokens. They are kept in memory only; a reload asks the provider again, which knows the browser's session.
 */
export async function logIn(settings: LoginSettings, page: LoginPage): Promise<Tokens | undefined> {
  const answer = new URL(page.location.href).searchParams;
  const begun = page.storage.getItem(stored);
  if (begun !== null && (answer.has('code') || answer.has('error'))) {
    page.storage.removeItem(stored);
    const login = JSON.parse(begun) as BegunLogin;
    page.history.replaceState(null, '', login.returnTo);
    return redeem(settings, page, answer, login);
  }
  const { authorization_endpoint } = await discover(settings, page);
  const [state, verifier] = [randomText(), randomText()];
  const begin: BegunLogin = { state, verifier, returnTo: page.location.pathname + page.location.search };
  page.storage.setItem(stored, JSON.stringify(begin));
  const address = new URL(authorization_endpoint);
  address.search = new URLSearchParams({
    client_id: settings.client_id,
    redirect_uri: page.location.origin + returnAddress,
    response_type: 'code',
    scope: settings.scope,
    state,
    code_challenge: encode(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)))),
    code_challenge_method: 'S256',
  }).toString();
  page.location.assign(address.href);
  return undefined;
}

async function redeem(settings: LoginSettings, page: LoginPage, answer: URLSearchParams, begun: BegunLogin): Promise<Tokens> {
  const code = answer.get('code');
  if (code === null) {
    throw new Error(t('login.refused', { reason: answer.get('error_description') ?? answer.get('error') ?? '' }));
  }
  if (answer.get('state') !== begun.state) {
    throw new Error(t('login.otherPage'));
  }
  const { token_endpoint, issuer } = await discover(settings, page);
  if (answer.has('iss') && answer.get('iss') !== issuer) {
    throw new Error(t('login.otherProvider'));
  }
  const tokens = await exchange(token_endpoint, page.fetch, {
    grant_type: 'authorization_code',
    client_id: settings.client_id,
    redirect_uri: page.location.origin + returnAddress,
    code,
    code_verifier: begun.verifier,
  });
  if (!tokens) {
    throw new Error(t('login.noToken'));
  }
  return tokens;
}

/** New tokens for a refresh token (RFC 6749, 6). Undefined where the provider refuses; throws where it does not answer. */
export async function renewTokens(settings: LoginSettings, page: Pick<LoginPage, 'fetch'>, refreshToken: string): Promise<Tokens | undefined> {
  const { token_endpoint } = await discover(settings, page);
  return exchange(token_endpoint, page.fetch, { grant_type: 'refresh_token', client_id: settings.client_id, refresh_token: refreshToken });
}

async function exchange(endpoint: string, fetch: LoginPage['fetch'], form: Record<string, string>): Promise<Tokens | undefined> {
  const response = await fetch(endpoint, { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(form).toString() });
  if (response.status >= 500) {
    throw new Error(t('login.noAnswer'));
  }
  const { access_token, expires_in, refresh_token } = response.ok ? ((await response.json()) as Partial<Tokens>) : {};
  return access_token ? { access_token, expires_in, ...(refresh_token ? { refresh_token } : {}) } : undefined;
}

async function discover(settings: LoginSettings, page: Pick<LoginPage, 'fetch'>): Promise<Discovery> {
  const response = await page.fetch(`${settings.authority.replace(/\/$/, '')}/.well-known/openid-configuration`);
  if (!response.ok) {
    throw new Error(t('login.noAnswer'));
  }
  return (await response.json()) as Discovery;
}

function randomText(): string {
  return encode(crypto.getRandomValues(new Uint8Array(32)));
}

function encode(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
