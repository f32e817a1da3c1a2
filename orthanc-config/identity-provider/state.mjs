// Keys and demo passwords, made at the first start and kept in one folder that only this user may read.
import { generateKeyPairSync, randomBytes, randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const demoUsers = {
  mia: { name: 'Mia Masker', roles: ['image-masking', 'image-review'] },
  rob: { name: 'Rob Reader', roles: [] },
  ada: { name: 'Ada Admin', roles: ['image-masking', 'image-review', 'audit-reader', 'sidecar-administrator'] },
};

/** Reads the state folder, filling in what is missing. `users.json` names each user's password, for people and for tests. */
export function openState(folder) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return {
    users: keep(folder, 'users.json', () => Object.fromEntries(
      Object.entries(demoUsers).map(([id, user]) => [id, { ...user, password: `${id}-${randomInt(100_000, 1_000_000)}` }]))),
    keys: keep(folder, 'keys.json', () => [signingKey()]),
    cookieKeys: keep(folder, 'cookie-keys.json', () => [randomBytes(32).toString('base64url')]),
  };
}

function signingKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomBytes(8).toString('hex'), use: 'sig', alg: 'RS256' };
}

function keep(folder, name, make) {
  const file = join(folder, name);
  if (!existsSync(file)) {
    writeFileSync(`${file}.new`, JSON.stringify(make(), null, 2), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
  return JSON.parse(readFileSync(file, 'utf8'));
}
