// @vitest-environment node
/// <reference types="node" />
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test("api.d.ts is what the sidecar's OpenAPI document generates (else: npm run generate-types)", () => {
  const generated = execFileSync('node', ['node_modules/openapi-typescript/bin/cli.js', '../sidecar/Sidecar/openapi.json'], { encoding: 'utf8' });
  expect(readFileSync('src/sidecar/api.d.ts', 'utf8').trim()).toBe(generated.trim());
}, 60_000);
