// Files that nothing else here runs: checked by the tools that read them.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository } from './stack.mjs';

const read = (name) => readFileSync(join(repository, name), 'utf8');
const compose = (environment) => spawnSync('docker-compose', ['config'], {
  cwd: repository, encoding: 'utf8', env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
});
const secrets = { ORTHANC_SIDECAR_PASSWORD: 'one', ORTHANC_VIEWER_PASSWORD: 'two', POSTGRES_PASSWORD: 'three', JOURNAL_KEY: 'four' };

test('shellcheck finds nothing in the scripts', () => {
  execFileSync('shellcheck', ['start.sh', 'test.sh', '.ci/run'], { cwd: repository });
});

test('docker-compose accepts its file, and shares the files of start.sh', () => {
  const { status, stdout, stderr } = compose(secrets);
  assert.equal(status, 0, stderr);
  for (const shared of ['orthanc-config/orthanc.json', 'orthanc-config/restrict-viewer.lua']) assert.ok(stdout.includes(shared), shared);
  assert.ok(read('orthanc-config/nginx.Dockerfile').includes('orthanc-config/nginx.conf.template'));
  assert.ok(read('start.sh').includes('$config/nginx.conf.template'));
});

test('docker-compose publishes nothing but the door and the demo login, on loopback', () => {
  const published = compose(secrets).stdout.split('\n').filter((line) => /^\s+- (\S+:)?\d+:\d+/.test(line)).map((line) => line.trim());
  assert.deepEqual(published.sort(), ['- 127.0.0.1:8080:80/tcp', '- 127.0.0.1:8090:8090/tcp']);
});

for (const name of Object.keys(secrets))
  test(`docker-compose refuses to start without ${name}`, () => {
    const { status, stderr } = compose({ ...secrets, [name]: '' });
    assert.equal(status, 1);
    assert.match(stderr, /write it into the file \.env/);
  });

test('every variable of the templates is filled in by start.sh and by docker-compose', () => {
  const filled = read('start.sh');
  const composed = read('docker-compose.yml') + read('orthanc-config/nginx.Dockerfile') + read('orthanc-config/nginx-password.envsh');
  for (const template of ['nginx.conf.template', 'app-config.js.template'])
    for (const [, name] of read(`orthanc-config/${template}`).matchAll(/\$\{([A-Z_]+)\}/g)) {
      assert.ok(filled.includes(`${name}=`), `start.sh does not fill in ${name}`);
      assert.match(composed, new RegExp(`\\b${name}[:=]`), `docker-compose does not fill in ${name}`);
    }
});

test('the Dockerfile installs the list of packages that start.sh installs', () => {
  assert.match(read('sidecar/Dockerfile'), /COPY orthanc-config\/packages\.txt .*\n(.*\n)*.*awk '\$1 == "run"/);
  const groups = new Set(read('orthanc-config/packages.txt').split('\n').filter((line) => line && !line.startsWith('#')).map((line) => line.split(/\s+/)[0]));
  assert.deepEqual([...groups].sort(), ['run', 'start', 'test']);
});

test('lock files name no registry', () => {
  const files = execFileSync('git', ['ls-files', '*package-lock.json'], { cwd: repository, encoding: 'utf8' }).trim().split('\n');
  assert.ok(files.length >= 2);
  for (const file of files) assert.ok(!read(file).includes('"resolved"'), file);
});

test('docs/operations.md explains each setting of the sidecar', () => {
  const docs = read('docs/operations.md');
  const files = execFileSync('git', ['ls-files', 'sidecar/Sidecar/*Options.cs'], { cwd: repository, encoding: 'utf8' }).trim().split('\n');
  assert.ok(files.length >= 4);
  for (const file of files) {
    const source = read(file);
    const section = /Section <c>([\w:]+)<\/c>/.exec(source)[1].replaceAll(':', '__');
    for (const [, name] of source.matchAll(/public [\w<>?[\]]+ (\w+) \{ get; init; \}/g)) assert.ok(docs.includes(`SIDECAR_${section}__${name}`), `${section}:${name} of ${file}`);
  }
});
