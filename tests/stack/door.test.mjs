// The one door, with everything real behind it: what a browser may reach and what it may not.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { raw, Stack } from './stack.mjs';

let stack, tokens, study, series, instance;

before(async () => {
  stack = await Stack.start();
  tokens = { mia: await stack.token('mia'), rob: await stack.token('rob') };
  const [first] = JSON.parse((await ask('GET', '/dicom-web/studies?ModalitiesInStudy=CT', 'mia')).body.replace(/^[0-9a-f]+\r\n|\r\n[0-9a-f]+(\r\n)?/gm, ''));
  study = first['0020000D'].Value[0];
  const response = await fetch(`${stack.url}/dicom-web/studies/${study}/instances?limit=1`, { headers: { Authorization: `Bearer ${tokens.mia}` } });
  const [image] = await response.json();
  series = image['0020000E'].Value[0];
  instance = image['00080018'].Value[0];
});
after(() => stack?.end());

const ask = (method, path, user, headers = {}, body) =>
  raw(stack.ports.port, method, path, { ...(user ? { Authorization: `Bearer ${tokens[user] ?? user}` } : {}), ...headers }, body);

// Orthanc's REST root answers /system with this word: if it comes through, the door is open.
const secretWord = 'DatabaseVersion';

test('control: Orthanc answers /system, and the word looked for below is in it', async () => {
  const answer = await stack.orthanc('/system');
  assert.equal(answer.status, 200);
  assert.ok(answer.body.includes(secretWord));
});

describe('path tricks', () => {
  const ups = ['..', '.%2e', '%2e.', '%2e%2e', '%2E%2E', '%252e%252e', '..;', '..%00', '%c0%ae%c0%ae'];
  const slashes = ['/', '\\', '%2f', '%2F', '%5c', '%5C', '%255c', '%252f', '//', '/./', '/%2e/'];
  const tricks = [
    ...ups.flatMap((up) => slashes.map((slash) => `/dicom-web/${up}${slash}system`)),
    ...ups.flatMap((up) => slashes.map((slash) => `/dicom-web/studies/1.2${slash}${up}${slash}${up}${slash}${up}${slash}system`)),
    '/dicom-web\\..\\system', '/dicom-web/\\system', '//system', '/dicom-web//../system', '/dicom-web/studies//1.2/metadata', '/dicom-web/./../system',
    '/api/../dicom-web/../system', '/api/..%5c..%5csystem', '/mask/../../../../etc/passwd', '/mask/..%2f..%2f..%2fetc/passwd', '/mask..\\..\\etc',
    '/dicom-web/studies/..%5c..%5cinstances', '/dicom-web/studies/1.2/../../../instances?x=/dicom-web/studies/1', '/dicom-web/studies/1.2/metadata/..%5c..%5c..%5c..%5csystem',
  ];
  for (const trick of tricks) {
    test(`GET ${trick} is refused`, async () => {
      const answer = await ask('GET', trick, 'mia');
      assert.ok([400, 404].includes(answer.status), `status ${answer.status}`);
      assert.ok(!answer.body.includes(secretWord) && !answer.body.includes('root:'));
    });
  }

  for (const trick of ['..', '%2e%2e', '..\\', '..%5c', '%2E%2e/', 'studies\\1', 'studies%2f1', 'studies//1', 'studies/%5c'])
    test(`/dicom-web/${trick} is answered with 400, by the door itself`, async () => {
      const answer = await ask('GET', `/dicom-web/${trick}`, 'mia');
      assert.equal(answer.status, 400);
      assert.equal(answer.headers.server, 'nginx');
    });

  test('an absolute address in the request line does not name another path', async () => {
    for (const path of ['http://127.0.0.1/dicom-web/..%5csystem', 'http://127.0.0.1/system', 'dicom-web/../system', '*']) {
      const answer = await ask('GET', path, 'mia');
      assert.ok(!answer.body.includes(secretWord), path);
    }
  });

  test('dots, slashes and escapes in the query are values, not paths', async () => {
    assert.equal((await ask('GET', '/dicom-web/studies?PatientName=A%2FB%5C..%2F*', 'mia')).status, 200);
  });

  test("Orthanc's second lock holds alone: its user `viewer` gets nothing but reads", async () => {
    for (const path of ['/system', '/instances', '/dicom-web/..%5csystem', '/dicom-web/..\\system', '/dicom-web/studies/..%5c..%5csystem', '/dicom-web/studies/../../system', '/dicom-web/servers', '/app/explorer.html', '/dicom-web/studies']) {
      const answer = await stack.orthanc(path, 'viewer');
      assert.ok([403, 404].includes(answer.status), `${path}: ${answer.status}`);
      assert.ok(!answer.body.includes(secretWord));
    }
    for (const method of ['POST', 'PUT', 'DELETE'])
      assert.equal((await stack.orthanc(`/dicom-web/studies/${study}`, 'viewer', method)).status, 403);
    assert.equal((await stack.orthanc(`/dicom-web/studies/${study}/series/${series}/metadata`, 'viewer')).status, 200);
    assert.equal((await raw(stack.ports['orthanc-port'], 'GET', '/system')).status, 401);
  });
});

describe('who may what', () => {
  const reads = () => [`/dicom-web/studies/${study}/metadata`, `/dicom-web/studies/${study}/series/${series}/instances/${instance}/frames/1`];
  const searches = () => ['/dicom-web/studies', '/dicom-web/series', '/dicom-web/instances', `/dicom-web/studies/${study}/series`, `/dicom-web/studies/${study}/series/${series}/instances`];
  const expired = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJtaWEiLCJhdWQiOiJzaWRlY2FyLWFwaSJ9.';
  const accept = { Accept: 'multipart/related; type=application/octet-stream; transfer-syntax=*' };

  for (const [who, expected] of [[undefined, 401], ['garbage', 401], [expired, 401], ['rob', 200], ['mia', 200]])
    test(`${who === expired ? 'a token that signs itself' : who ?? 'nobody'}: reads, searches and /api/me answer ${expected}`, async () => {
      for (const path of [...reads(), ...searches(), '/api/me'])
        assert.equal((await ask('GET', path, who, path.includes('frames') ? accept : {})).status, expected, path);
    });

  test('a token in the address or in a cookie is none', async () => {
    assert.equal((await ask('GET', `${reads()[0]}?access_token=${tokens.mia}`)).status, 400);
    assert.equal((await ask('GET', `/dicom-web/studies?access_token=${tokens.mia}`)).status, 400);
    assert.equal((await ask('GET', `/dicom-web/studies?accesstoken=${tokens.mia}`)).status, 401);
    assert.equal((await ask('GET', reads()[0], undefined, { Cookie: `access_token=${tokens.mia}` })).status, 401);
  });

  test("Orthanc's own passwords open nothing at the door", async () => {
    for (const user of ['sidecar', 'viewer']) {
      const basic = { Authorization: `Basic ${btoa(`${user}:${stack.read(`secrets/orthanc-${user}-password`)}`)}` };
      assert.equal((await ask('GET', reads()[0], undefined, basic)).status, 401);
    }
  });

  test('masking needs the role: 401 without a token, 403 for rob', async () => {
    const body = JSON.stringify({ studyInstanceUid: study, source: { seriesInstanceUid: series, sopInstanceUid: instance }, regions: [{ x: 0, y: 0, width: 1, height: 1 }], scope: 'image' });
    const json = { 'Content-Type': 'application/json', 'Idempotency-Key': 'k' };
    for (const path of ['/api/mask-jobs', '/api/mask-jobs/preview']) {
      assert.equal((await ask('POST', path, undefined, json, body)).status, 401);
      assert.equal((await ask('POST', path, 'rob', json, body)).status, 403);
    }
    assert.equal((await ask('POST', '/api/mask-jobs/preview', 'mia', json, body)).status, 200);
  });

  test('the question that nginx asks the sidecar cannot be asked from outside', async () => {
    for (const path of ['/internal/authorize-read', '/internal/', '/internal/x'])
      assert.equal((await ask('GET', path, 'mia')).status, 404);
  });

  test('other doors of Orthanc lead nowhere', async () => {
    for (const path of ['/system', '/instances', '/studies', '/tools/find', '/changes', '/dicom-web/servers', '/dicom-web/info', '/dicom-web', '/dicom-web/', '/wado', '/plugins']) {
      const answer = await ask('GET', path, 'mia');
      assert.ok(answer.status === 404 || answer.body.includes('<title>OHIF'), `${path}: ${answer.status}`);
    }
  });
});

describe('methods', () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE', 'PROPFIND', 'get'])
    test(`${method} reaches neither Orthanc nor its searches`, async () => {
      for (const path of ['/dicom-web/studies', `/dicom-web/studies/${study}`, `/dicom-web/studies/${study}/metadata`]) {
        const answer = await ask(method, path, 'mia');
        assert.ok([400, 404, 405].includes(answer.status), `${path}: ${answer.status}`);
      }
    });

  test('POST to a page is refused', async () => {
    for (const path of ['/', '/app-config.js', '/mask/extension.js', '/health/live'])
      assert.ok([403, 405].includes((await ask('POST', path, 'mia')).status), path);
  });

  // Orthanc lets a GET call itself a DELETE, by a header or by a parameter.
  test('a GET that asks to be taken for another method is a GET or nothing', async () => {
    const still = async () => assert.equal((await ask('GET', `/dicom-web/studies/${study}/metadata`, 'mia')).status, 200);
    assert.equal((await stack.orthanc(`/dicom-web/studies/${study}/metadata?_method=DELETE`, 'viewer')).status, 403);
    for (const method of ['DELETE', 'PUT', 'POST']) {
      const header = await ask('GET', `/dicom-web/studies/${study}/metadata`, 'mia', { 'X-HTTP-Method-Override': method });
      assert.equal(header.status, 200);
      for (const parameter of [`_method=${method}`, `_METHOD=${method}`, `%5fmethod=${method}`, `limit=1&_method=${method}`, `%5F%6Dethod=${method}`, `&&_method=${method}`])
        for (const path of [`/dicom-web/studies/${study}/metadata`, '/dicom-web/studies', `/dicom-web/studies/${study}/series`])
          assert.equal((await ask('GET', `${path}?${parameter}`, 'mia')).status, 400, `${path}?${parameter}`);
    }
    await still();
  });
});

describe('what a browser is told', () => {
  test('images are kept nowhere', async () => {
    for (const path of ['/dicom-web/studies', `/dicom-web/studies/${study}/metadata`, '/api/me'])
      assert.equal((await ask('GET', path, 'mia')).headers['cache-control'], 'no-store', path);
  });

  test('every answer carries the security headers once, refusals too', async () => {
    for (const path of ['/', '/app-config.js', '/mask/extension.js', '/api/me', `/dicom-web/studies/${study}/metadata`, '/dicom-web/..%5c', '/nothing.js']) {
      const { headers } = await ask('GET', path);
      assert.match(headers['content-security-policy'] ?? '', /default-src 'self'.*object-src 'none'/, path);
      assert.equal(headers['x-content-type-options'], 'nosniff', path);
    }
  });

  test('OHIF is served: start page at any route, bundles kept for good, the configuration never', async () => {
    const page = await fetch(`${stack.url}/viewer?StudyInstanceUIDs=1.2`);
    assert.equal(page.status, 200);
    assert.equal(page.headers.get('cache-control'), 'no-cache');
    const html = await page.text();
    const bundle = /src="(\/app\.bundle\.[0-9a-f]+\.js)"/.exec(html)[1];
    const script = await fetch(stack.url + bundle, { headers: { 'Accept-Encoding': 'gzip' } });
    assert.equal(script.headers.get('cache-control'), 'public, max-age=31536000, immutable');
    assert.equal(script.headers.get('content-encoding'), 'gzip');
    await script.body.cancel();
    const config = await fetch(`${stack.url}/app-config.js`);
    assert.equal(config.headers.get('cache-control'), 'no-store');
    assert.ok((await config.text()).includes(`authority: 'http://127.0.0.1:${stack.ports['idp-port']}'`));
    assert.equal((await fetch(`${stack.url}/mask/extension.js`)).headers.get('content-type'), 'application/javascript');
    assert.equal((await fetch(`${stack.url}/gone.bundle.0123456789abcdef.js`)).status, 404);
  });

  test('the pages beside OHIF are one document, never kept, and only under their own names', async () => {
    for (const path of ['/worklist', '/templates', '/dashboard', '/schedules', '/audit', '/signed-in?code=1&state=2']) {
      const answer = await ask('GET', path);
      assert.equal(answer.status, 200, path);
      assert.match(answer.headers['content-type'], /^text\/html/, path);
      assert.match(answer.body, /\/mask\/pages\.js/, path);
      assert.equal(answer.headers['cache-control'], 'no-cache', path);
      assert.equal((await ask('POST', path)).status, 403, path);
    }
    for (const path of ['/worklist/', '/worklistx', '/audit/x']) assert.doesNotMatch((await ask('GET', path)).body, /\/mask\/pages\.js/, path);
  });

  test('addresses in answers name the door, whatever the browser claims', async () => {
    const answer = await ask('GET', `/dicom-web/studies/${study}/metadata`, 'mia', { Forwarded: 'host=evil.example;proto=https', 'X-Forwarded-Host': 'evil.example' });
    assert.ok(answer.body.includes(`http://127.0.0.1:${stack.ports.port}/dicom-web/studies/`));
    assert.ok(!answer.body.includes('evil.example'));
  });

  test('a body of the wrong size is refused before the sidecar sees it', async () => {
    assert.equal((await ask('POST', '/api/mask-jobs', 'mia', { 'Content-Type': 'application/json' }, 'x'.repeat(300_000))).status, 413);
  });
});

describe('the identity provider', () => {
  const issuer = () => `http://127.0.0.1:${stack.ports['idp-port']}`;
  const authorize = (changes) => fetch(`${issuer()}/auth?${new URLSearchParams({
    client_id: 'ohif', redirect_uri: `${stack.url}/callback`, response_type: 'code', scope: 'openid profile', state: 's',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256', ...changes,
  })}`, { redirect: 'manual' });

  test('access tokens carry audience, name and roles', async () => {
    const claims = JSON.parse(Buffer.from(tokens.mia.split('.')[1], 'base64url'));
    assert.deepEqual({ iss: claims.iss, aud: claims.aud, name: claims.name, roles: claims.roles }, { iss: issuer(), aud: 'sidecar-api', name: 'Mia Masker', roles: ['image-masking', 'image-review'] });
  });

  test('a foreign address to return to, and a login without PKCE, are refused', async () => {
    assert.equal((await authorize({})).status, 303);
    assert.equal((await authorize({ redirect_uri: 'http://evil.example/callback' })).status, 400);
    const withoutPkce = await authorize({ code_challenge: '', code_challenge_method: '' });
    assert.ok(withoutPkce.headers.get('location')?.includes('error='), `${withoutPkce.status}`);
  });

  test('a wrong password gives no token', async () => {
    const { logIn } = await import('../../orthanc-config/identity-provider/token.mjs');
    await assert.rejects(logIn('mia', 'wrong', { issuer: issuer(), viewer: stack.url }), /401/);
  });
});
