// Prints an access token of a demo user, got the way a browser gets it (code + PKCE), for tests and for curl:
//   node token.mjs USER   with IDENTITY_PROVIDER_ISSUER, IDENTITY_PROVIDER_STATE and VIEWER_URL where they are not the defaults
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Logs `user` in and answers the token endpoint's reply ({ access_token, id_token, refresh_token, … }). */
export async function logIn(user, password, { issuer, viewer }) {
  const cookies = new Map();
  const visit = async (url, options = {}) => {
    const response = await fetch(url, {
      ...options,
      redirect: 'manual',
      headers: { ...options.headers, cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      cookies.set(name, value);
    }
    return response;
  };
  const discovery = await (await visit(`${issuer}/.well-known/openid-configuration`)).json();
  const verifier = randomBytes(32).toString('base64url');
  const redirect = `${viewer}/callback`;
  let location = `${discovery.authorization_endpoint}?${new URLSearchParams({
    client_id: 'ohif',
    redirect_uri: redirect,
    response_type: 'code',
    scope: 'openid profile',
    state: 'state',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })}`;
  for (let hop = 0; hop < 8 && !location.startsWith(redirect); hop++) {
    const isLogin = new URL(location).pathname.startsWith('/login/');
    const response = await visit(location, isLogin ? { method: 'POST', body: new URLSearchParams({ login: user, password }) } : {});
    if (!response.headers.has('location')) throw new Error(`the login of ${user} stopped at HTTP ${response.status}`);
    location = new URL(response.headers.get('location'), location).href;
  }
  const code = new URL(location).searchParams.get('code');
  if (!code) throw new Error(`the login of ${user} ended without a code`);
  const answer = await visit(discovery.token_endpoint, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'authorization_code', client_id: 'ohif', redirect_uri: redirect, code, code_verifier: verifier }),
  });
  if (!answer.ok) throw new Error(`the token endpoint answered HTTP ${answer.status}`);
  return answer.json();
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const users = JSON.parse(readFileSync(join(process.env.IDENTITY_PROVIDER_STATE ?? '../../.state/identity-provider', 'users.json'), 'utf8'));
  const user = process.argv[2];
  if (!Object.hasOwn(users, user ?? '')) throw new Error(`usage: token.mjs USER, one of ${Object.keys(users).join(', ')}`);
  const tokens = await logIn(user, users[user].password, {
    issuer: process.env.IDENTITY_PROVIDER_ISSUER ?? 'http://127.0.0.1:8090',
    viewer: process.env.VIEWER_URL ?? 'http://127.0.0.1:8080',
  });
  console.log(tokens.access_token);
}
