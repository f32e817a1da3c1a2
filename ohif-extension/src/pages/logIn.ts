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
 * access token. It is kept in memory only; a reload asks the provider again, which knows the browser's session.
 */
export async function logIn(settings: LoginSettings, page: LoginPage): Promise<string | undefined> {
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

async function redeem(settings: LoginSettings, page: LoginPage, answer: URLSearchParams, begun: BegunLogin): Promise<string> {
  const code = answer.get('code');
  if (code === null) {
    throw new Error(`The identity provider refused the log-in: ${answer.get('error_description') ?? answer.get('error') ?? ''}`);
  }
  if (answer.get('state') !== begun.state) {
    throw new Error('The log-in does not belong to this page. Open it again.');
  }
  const { token_endpoint, issuer } = await discover(settings, page);
  if (answer.has('iss') && answer.get('iss') !== issuer) {
    throw new Error('The log-in was answered by another identity provider. Open the page again.');
  }
  const response = await page.fetch(token_endpoint, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: settings.client_id,
      redirect_uri: page.location.origin + returnAddress,
      code,
      code_verifier: begun.verifier,
    }).toString(),
  });
  const { access_token: token } = response.ok ? ((await response.json()) as { access_token?: string }) : {};
  if (!token) {
    throw new Error('The identity provider gave no token. Open the page again.');
  }
  return token;
}

async function discover(settings: LoginSettings, page: LoginPage): Promise<Discovery> {
  const response = await page.fetch(`${settings.authority.replace(/\/$/, '')}/.well-known/openid-configuration`);
  if (!response.ok) {
    throw new Error('The identity provider does not answer. Try again in a moment.');
  }
  return (await response.json()) as Discovery;
}

function randomText(): string {
  return encode(crypto.getRandomValues(new Uint8Array(32)));
}

function encode(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
