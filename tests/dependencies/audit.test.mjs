import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { auditNpm, auditNuget, nugetSources, shipped } from './audit.mjs';

describe('known vulnerabilities of shipped packages', { concurrency: 5 }, () => {
  let sources;
  before(async () => { sources = await nugetSources(); });
  const judge = (t, { found, unanswered }) => {
    if (unanswered) return t.skip(`the package registry does not tell: ${unanswered}`);
    assert.deepEqual(found, []);
  };
  for (const project of shipped.nuget) test(project, async (t) => judge(t, await auditNuget(project, sources)));
  for (const folder of shipped.npm) test(folder.folder, async (t) => judge(t, await auditNpm(folder)));
});

// A registry that knows something against packages we do ship, and one that knows nothing about vulnerabilities.
describe('the audit', { concurrency: 5 }, () => {
  const busy = 50_000; // this registry answers at once, on a machine that may have other work
  let server, url, answers;
  before(async () => {
    server = createServer((request, response) => {
      const answer = answers[request.url];
      response.writeHead(answer ? 200 : 404, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer ?? {}));
    });
    await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
    url = `http://127.0.0.1:${server.address().port}`;
    const resource = (path, type) => ({ '@id': url + path, '@type': type });
    const flat = resource('/flat/', 'PackageBaseAddress/3.0.0');
    answers = {
      '/silent.json': { version: '3.0.0', resources: [flat] },
      '/telling.json': { version: '3.0.0', resources: [flat, resource('/vulnerabilities.json', 'VulnerabilityInfo/6.7.0')] },
      '/vulnerabilities.json': [{ '@name': 'base', '@id': `${url}/base.json`, '@updated': '2026-01-01T00:00:00Z' }],
      '/base.json': { quartz: [{ url: 'https://advisory.example/1', severity: 2, versions: '(, 999.0.0)' }] },
      '/-/npm/v1/security/advisories/bulk': { 'oidc-provider': [{ id: 1, url: 'https://advisory.example/2', title: 'invented', severity: 'high', vulnerable_versions: '<999', cwe: [], cvss: { score: 8, vectorString: null } }] },
      '/oidc-provider': { name: 'oidc-provider', 'dist-tags': {}, versions: {} },
    };
  });
  after(() => server.close());

  test('names a .NET package with a known vulnerability', async () => {
    const { found } = await auditNuget(shipped.nuget[0], [`${url}/telling.json`], busy);
    assert.equal(found.length > 0 && found.every((f) => /^Quartz\S* \S+: High https:\/\/advisory\.example\/1$/.test(f)), true, found.join());
  });
  test('does not take a source without such knowledge for a clean bill', async () => {
    assert.match((await auditNuget(shipped.nuget[1], [`${url}/silent.json`], busy)).unanswered, /vulnerability data/);
  });
  test('names an npm package with a known vulnerability', async () => {
    const { found } = await auditNpm(shipped.npm[1], url, busy);
    assert.deepEqual(found, ['oidc-provider: high https://advisory.example/2']);
  });
  test('says that a registry does not answer', async () => {
    assert.match((await auditNpm(shipped.npm[2], 'http://127.0.0.1:9', busy)).unanswered, /\S/);
  });
});
