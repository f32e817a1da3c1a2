// Starts start.sh for the tests here, on free ports and with a data folder of its own, and speaks to what it started.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { logIn } from '../../orthanc-config/identity-provider/token.mjs';

export const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Runs start.sh until it ends. */
export async function runStart(options, environment = {}) {
  const process = spawn(join(repository, 'start.sh'), options, { env: { ...globalThis.process.env, ...environment }, timeout: 120_000 });
  let output = '';
  process.stdout.on('data', (chunk) => (output += chunk));
  process.stderr.on('data', (chunk) => (output += chunk));
  const [status] = await once(process, 'close');
  return { status, output };
}

export class Stack {
  static async start(...options) {
    const stack = new Stack();
    stack.data = mkdtempSync(join(tmpdir(), 'sidecar-stack-'));
    const names = ['port', 'orthanc-port', 'dicom-port', 'sidecar-port', 'idp-port'];
    stack.ports = Object.fromEntries((await freePorts(names.length)).map((port, i) => [names[i], port]));
    stack.options = ['--no-install', '--data', stack.data, ...Object.entries(stack.ports).flatMap(([name, port]) => [`--${name}`, String(port)]), ...options];
    stack.url = `http://127.0.0.1:${stack.ports.port}`;
    await stack.startAgain();
    return stack;
  }

  /** Starts start.sh with the same folder and ports, and waits until it says ready. */
  async startAgain() {
    this.output = '';
    rmSync(join(this.data, 'ready'), { force: true });
    this.process = spawn(join(repository, 'start.sh'), this.options, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout, this.process.stderr]) stream.on('data', (chunk) => (this.output += chunk));
    this.ended = once(this.process, 'close');
    const deadline = Date.now() + 180_000;
    while (!existsSync(join(this.data, 'ready'))) {
      if (this.process.exitCode !== null || Date.now() > deadline) throw new Error(`start.sh did not get ready: ${this.output}`);
      await pause(50);
    }
  }

  async stop() {
    this.process.kill('SIGTERM');
    const [status] = await this.ended;
    return status;
  }

  async end() {
    if (this.process.exitCode === null && this.process.signalCode === null) await this.stop();
    rmSync(this.data, { recursive: true, force: true });
  }

  read(name) {
    return readFileSync(join(this.data, name), 'utf8').trim();
  }

  /** An access token, got by a real login. */
  async token(user) {
    const { password } = JSON.parse(this.read('identity-provider/users.json'))[user];
    return (await logIn(user, password, { issuer: `http://127.0.0.1:${this.ports['idp-port']}`, viewer: this.url })).access_token;
  }

  /** Orthanc itself, behind the door's back, as one of its two users. */
  orthanc(path, user = 'sidecar', method = 'GET') {
    return raw(this.ports['orthanc-port'], method, path, { Authorization: `Basic ${btoa(`${user}:${this.read(`secrets/orthanc-${user}-password`)}`)}` });
  }
}

/** Sends exactly this request line (fetch would tidy the path first). Answers { status, headers, body }. */
export async function raw(port, method, path, headers = {}, body = '') {
  const socket = connect(port, '127.0.0.1');
  socket.setTimeout(20_000, () => socket.destroy(new Error(`no answer to ${method} ${path}`)));
  socket.write([
    `${method} ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Connection: close',
    ...(body ? [`Content-Length: ${Buffer.byteLength(body)}`] : []),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '', body,
  ].join('\r\n'), 'latin1');
  const chunks = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  await once(socket, 'close');
  const text = Buffer.concat(chunks).toString('latin1');
  const [head, ...rest] = text.split('\r\n\r\n');
  const [statusLine, ...lines] = head.split('\r\n');
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()])),
    body: rest.join('\r\n\r\n'),
  };
}

export async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, () => occupy(0)));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

export async function occupy(port) {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
