// The demo's identity provider: the certified `oidc-provider` package with three invented users, so that the whole
// login (code + PKCE, JWT access tokens, published keys, refresh) is real. Sessions live in memory: a restart logs
// everybody out. For real patients use the hospital's own provider, see docs/operations.md.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';
import { loginPage, logoutPage, signedOutPage } from './pages.mjs';
import { openState } from './state.mjs';

const port = Number(process.env.IDENTITY_PROVIDER_PORT ?? 8090);
const host = process.env.IDENTITY_PROVIDER_HOST ?? '127.0.0.1';
const issuer = process.env.IDENTITY_PROVIDER_ISSUER ?? `http://127.0.0.1:${port}`;
const viewerOrigins = (process.env.IDENTITY_PROVIDER_VIEWER_ORIGINS ?? 'http://127.0.0.1:8080 http://localhost:8080').split(' ');
const { users, keys, cookieKeys } = openState(process.env.IDENTITY_PROVIDER_STATE ?? 'state');

// Access tokens are for this one API; OpenID Connect wants its name as a URI, the token carries the plain word.
const api = 'urn:sidecar:api';
const audience = 'sidecar-api';

const provider = new Provider(issuer, {
  jwks: { keys },
  cookies: { keys: cookieKeys, names: { session: 'demo_idp_session', interaction: 'demo_idp_interaction', resume: 'demo_idp_resume' } },
  clients: [{
    client_id: 'ohif',
    client_name: 'OHIF viewer',
    token_endpoint_auth_method: 'none', // a browser cannot keep a secret: PKCE instead
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: viewerOrigins.flatMap((origin) => [`${origin}/callback`, `${origin}/silent-refresh.html`, `${origin}/signed-in`]),
    post_logout_redirect_uris: viewerOrigins.map((origin) => `${origin}/`),
  }],
  clientBasedCORS: (_ctx, origin) => viewerOrigins.includes(origin),
  pkce: { required: () => true },
  scopes: ['openid', 'profile'],
  claims: { openid: ['sub'], profile: ['name', 'roles'] },
  conformIdTokenClaims: false, // OHIF reads name and roles from the ID token
  // Consent is skipped: the one client is our own viewer.
  loadExistingGrant: async (ctx) => {
    const known = ctx.oidc.session.grantIdFor(ctx.oidc.client.clientId);
    if (known) return provider.Grant.find(known);
    const grant = new provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope('openid profile');
    await grant.save();
    return grant;
  },
  // Without a refresh token OHIF would renew through a page that loads a script from a foreign host.
  issueRefreshToken: async () => true,
  extraTokenClaims: (_ctx, token) => {
    const user = users[token.accountId];
    return user && { name: user.name, roles: user.roles, sid: token.sessionUid };
  },
  findAccount: (_ctx, id) => users[id] && {
    accountId: id,
    claims: () => ({ sub: id, name: users[id].name, roles: users[id].roles }),
  },
  interactions: { url: (_ctx, interaction) => `/login/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => api,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: '', audience, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }),
    },
    revocation: { enabled: true },
    rpInitiatedLogout: { enabled: true, logoutSource: logoutPage, postLogoutSuccessSource: signedOutPage },
  },
  ttl: { AccessToken: 3600, IdToken: 3600, RefreshToken: 12 * 3600, Session: 12 * 3600, Grant: 12 * 3600, Interaction: 3600 },
  renderError: (ctx, out) => {
    ctx.type = 'text/plain';
    ctx.body = `The login could not go on: ${out.error_description ?? out.error}. Open the viewer again.\n`;
  },
});

async function login(request, response) {
  const { uid } = await provider.interactionDetails(request, response);
  if (request.method !== 'POST') return send(response, 200, loginPage(uid));
  const form = await readForm(request);
  const account = form.get('login')?.trim().toLowerCase();
  if (!Object.hasOwn(users, account) || users[account].password !== form.get('password')) {
    await new Promise((done) => setTimeout(done, 300)); // slows guessing
    return send(response, 401, loginPage(uid, 'The name or the password is wrong. Both were printed when the demo started.'));
  }
  await provider.interactionFinished(request, response, { login: { accountId: account } });
}

async function readForm(request) {
  let body = '';
  for await (const chunk of request) {
    body += chunk;
    if (body.length > 4096) throw new Error('the form is too large');
  }
  return new URLSearchParams(body);
}

function send(response, status, html) {
  response.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    // Browsers hold form-action against the redirects that follow, so the viewer's origin is named too.
    'Content-Security-Policy': `default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; form-action 'self' ${viewerOrigins.join(' ')}`,
  });
  response.end(html);
}

const serve = provider.callback();
const server = createServer(async (request, response) => {
  if (!/^\/login\/[\w-]+$/.test(request.url)) return serve(request, response);
  try {
    await login(request, response);
  } catch (fault) {
    if (!response.headersSent) response.writeHead(400, { 'Content-Type': 'text/plain' });
    response.end(`The login could not go on: ${fault.message}. Open the viewer again.\n`);
  }
});
provider.on('server_error', (_ctx, fault) => console.error(fault));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
server.listen(port, host, () => console.log(`identity provider ${issuer} (oidc-provider ${version()})`));

function version() {
  return JSON.parse(readFileSync(new URL('node_modules/oidc-provider/package.json', import.meta.url))).version;
}
