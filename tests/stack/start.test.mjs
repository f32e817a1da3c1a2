// start.sh itself: what it says when something is in the way, what it leaves behind, where its programs listen.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePorts, occupy, raw, runStart, Stack } from './stack.mjs';

const folder = mkdtempSync(join(tmpdir(), 'sidecar-start-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const listeners = () => execFileSync('ss', ['-Hltunp'], { encoding: 'utf8' }).split('\n').filter(Boolean);

describe('refusals are one clear sentence', () => {
  test('an unknown option', async () => {
    assert.deepEqual(await runStart(['--prot', '1']), { status: 1, output: 'start.sh: unknown option --prot; ./start.sh --help lists them.\n' });
  });

  test('a port that is none', async () => {
    for (const port of ['0', '65536', 'http', ''])
      assert.deepEqual(await runStart(['--port', port]), { status: 1, output: 'start.sh: --port needs a port number from 1 to 65535.\n' });
  });

  for (const option of ['--port', '--orthanc-port', '--dicom-port', '--sidecar-port', '--idp-port'])
    test(`a busy ${option}`, async () => {
      const ports = await freePorts(5);
      const options = ['--port', '--orthanc-port', '--dicom-port', '--sidecar-port', '--idp-port'].flatMap((name, i) => [name, String(ports[i])]);
      const busy = options[options.indexOf(option) + 1];
      const server = await occupy(Number(busy));
      try {
        const { status, output } = await runStart(['--no-install', '--data', join(folder, 'busy'), ...options]);
        assert.equal(status, 1);
        assert.equal(output.trim().split('\n').at(-1), `start.sh: port ${busy} is in use by another program; choose another with ${option}.`);
      } finally {
        server.close();
      }
    });

  test('a missing package, with --no-install', async () => {
    const bin = mkdtempSync(join(folder, 'bin-'));
    // Says of every package but orthanc that it is installed.
    writeFileSync(join(bin, 'dpkg-query'), '#!/bin/sh\nfor p in "$@"; do case $p in -*|*{*|orthanc) ;; *) echo "$p installed" ;; esac; done\n', { mode: 0o755 });
    const { status, output } = await runStart(['--no-install', '--data', join(folder, 'missing')], { PATH: `${bin}:${process.env.PATH}` });
    assert.deepEqual({ status, output }, { status: 1, output: 'start.sh: these Debian packages are missing: orthanc. Install them, or leave out --no-install.\n' });
  });

  test('an SDK that is too old', async () => {
    const bin = mkdtempSync(join(folder, 'bin-'));
    writeFileSync(join(bin, 'dotnet'), '#!/bin/sh\necho 8.0.100\n', { mode: 0o755 });
    const { status, output } = await runStart(['--no-install', '--data', join(folder, 'sdk')], { PATH: `${bin}:${process.env.PATH}` });
    assert.equal(status, 1);
    assert.match(output, /^start\.sh: \.NET SDK 10 is missing: [^\n]+\n$/);
  });

  test('--help is help', async () => {
    const { status, output } = await runStart(['--help']);
    assert.equal(status, 0);
    assert.match(output, /^Usage: \.\/start\.sh/);
  });
});

describe('a running stack', () => {
  let stack;
  before(async () => {
    stack = await Stack.start('--no-demo');
  });
  after(() => stack?.end());

  const pidsOfPorts = () => Object.values(stack.ports).map((port) => Number(/pid=(\d+)/.exec(listeners().find((line) => line.includes(`127.0.0.1:${port} `)))[1]));

  test('listens on loopback only, each of its programs', () => {
    const pids = new Set(pidsOfPorts());
    assert.equal(pids.size, 4);
    const own = listeners().filter((line) => [...pids].some((pid) => line.includes(`pid=${pid},`)));
    assert.ok(own.length >= 5);
    for (const line of own) assert.match(line.split(/\s+/)[4], /^127\.0\.0\.1:/);
  });

  test('started empty with --no-demo', async () => {
    assert.match((await stack.orthanc('/studies')).body, /^\[\]/);
  });

  test('says where it already runs when started again with the same folder', async () => {
    const { status, output } = await runStart(stack.options);
    assert.equal(status, 1);
    assert.equal(output, `start.sh: already running with the data folder ${stack.data} at ${stack.url}; stop that one first, or choose another folder with --data.\n`);
    assert.equal((await fetch(`${stack.url}/health/ready`)).status, 200);
  });

  test('keeps its secrets to itself', () => {
    for (const name of ['secrets', 'identity-provider', 'sidecar', 'orthanc']) assert.equal(statSync(join(stack.data, name)).mode & 0o077, 0, name);
    for (const name of readdirSync(join(stack.data, 'secrets'))) assert.equal(statSync(join(stack.data, 'secrets', name)).mode & 0o077, 0, name);
    assert.equal(statSync(join(stack.data, 'nginx/door.conf')).mode & 0o077, 0);
    const password = stack.read('secrets/orthanc-sidecar-password');
    assert.equal(password.length, 48);
    for (const name of readdirSync(join(stack.data, 'logs'))) assert.ok(!stack.read(join('logs', name)).includes(password), name);
    assert.ok(!execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).includes(password));
  });

  test('Orthanc takes no image from a modality it does not know', () => {
    const image = join(stack.data, 'image.dcm');
    writeFileSync(`${image}.txt`, '(0008,0016) UI =SecondaryCaptureImageStorage\n(0008,0018) UI [1.2.3.4]\n(0020,000d) UI [1.2.3]\n(0020,000e) UI [1.2.3.1]\n(0010,0020) LO [X]\n');
    execFileSync('dump2dcm', [`${image}.txt`, image]);
    assert.throws(() => execFileSync('storescu', ['127.0.0.1', String(stack.ports['dicom-port']), image], { stdio: 'pipe' }));
    assert.throws(() => execFileSync('echoscu', ['127.0.0.1', String(stack.ports['dicom-port'])], { stdio: 'pipe' }));
  });

  test('stops everything it started, and starts again within seconds with the same secrets', async () => {
    const pids = pidsOfPorts();
    const password = stack.read('secrets/orthanc-sidecar-password');
    assert.equal(await stack.stop(), 0);
    for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
    const begun = Date.now();
    await stack.startAgain();
    assert.ok(Date.now() - begun < 45_000, `${Date.now() - begun} ms`);
    assert.ok(!stack.output.includes('Building'), stack.output);
    assert.equal(stack.read('secrets/orthanc-sidecar-password'), password);
  });

  test('a program that dies takes the rest down, with its name and its log', async () => {
    const pids = pidsOfPorts();
    const sidecar = Number(/pid=(\d+)/.exec(listeners().find((line) => line.includes(`127.0.0.1:${stack.ports['sidecar-port']} `)))[1]);
    process.kill(sidecar, 'SIGKILL');
    const [status] = await stack.ended;
    assert.equal(status, 1);
    assert.match(stack.output, /start\.sh: sidecar has stopped \(status 137\), so everything stops; see \S+sidecar\.log/);
    for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  });

  test('when start.sh itself is killed its programs end too', async () => {
    await stack.startAgain();
    const pids = pidsOfPorts();
    stack.process.kill('SIGKILL');
    await stack.ended;
    const deadline = Date.now() + 30_000;
    for (const pid of pids)
      while (readProcess(pid)) {
        assert.ok(Date.now() < deadline, `process ${pid} is still there`);
        await new Promise((done) => setTimeout(done, 50));
      }
    await stack.startAgain();
    assert.equal((await raw(stack.ports.port, 'GET', '/health/ready')).status, 200);
  });
});

function readProcess(pid) {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}
