/**
 * Where the running stack is. All of it comes from the state folder that start.sh writes:
 * SIDECAR_TEST_STATE (default: .state of the repository), SIDECAR_TEST_URL (default: what the folder's file `ready` says),
 * SIDECAR_TEST_ORTHANC_URL (default: http://127.0.0.1:8042).
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const repository = resolve(import.meta.dirname, '../../..');
export const state = resolve(process.env.SIDECAR_TEST_STATE ?? join(repository, '.state'));
export const baseUrl = process.env.SIDECAR_TEST_URL ?? readState('ready');
export const orthancUrl = process.env.SIDECAR_TEST_ORTHANC_URL ?? 'http://127.0.0.1:8042';

export type UserName = 'mia' | 'rob' | 'ada';

export function passwordOf(user: UserName): string {
  return (JSON.parse(readState('identity-provider/users.json')) as Record<UserName, { password: string }>)[user].password;
}

export function orthancAuthorization(): string {
  return `Basic ${Buffer.from(`sidecar:${readState('secrets/orthanc-sidecar-password')}`).toString('base64')}`;
}

/** The port on which Orthanc takes images from modalities (C-STORE). */
export function dicomPort(): string {
  return /"DicomPort": (\d+)/.exec(readState('orthanc/config/here.json'))![1]!;
}

/** A bearer of its own for requests past the browser, got by a real login. */
export async function tokenOf(user: UserName): Promise<string> {
  const settings = await (await fetch(`${baseUrl}/app-config.js`)).text();
  const issuer = /authority: '([^']+)'/.exec(settings)![1]!;
  const { logIn } = (await import(join(repository, 'orthanc-config/identity-provider/token.mjs'))) as TokenModule;
  return (await logIn(user, passwordOf(user), { issuer, viewer: baseUrl })).access_token;
}

interface TokenModule {
  logIn(user: string, password: string, where: { issuer: string; viewer: string }): Promise<{ access_token: string }>;
}

/** Cookies of a user who has logged in at the identity provider; written by logIn.ts. */
export function sessionOf(user: UserName): string {
  return join(import.meta.dirname, `../test-results/sessions/${user}.json`);
}

/** Orthanc stands still until the answer is called, so that a job is surely amid its work. Others who ask it wait as long. */
export function pauseOrthanc(): () => void {
  const commandLine = `Orthanc\0${join(state, 'orthanc/config')}\0`;
  const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && commandLineOf(name) === commandLine);
  if (!pid) throw new Error(`Orthanc of ${state} does not run on this machine.`);
  process.kill(Number(pid), 'SIGSTOP');
  return () => process.kill(Number(pid), 'SIGCONT');
}

function commandLineOf(pid: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return undefined; // it has ended since the folder was read
  }
}

function readState(name: string): string {
  const path = join(state, name);
  if (!existsSync(path)) {
    throw new Error(`${path} is missing: start the stack first (./start.sh), or set SIDECAR_TEST_STATE to its data folder.`);
  }
  return readFileSync(path, 'utf8').trim();
}
