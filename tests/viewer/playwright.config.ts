import { defineConfig } from '@playwright/test';
import { baseUrl } from './support/stack.ts';

/**
 * Tests that need a sidecar of other settings than the rest: `findings` looks for text and holds studies, `two-persons` asks for a second person. test.sh runs each part
 * with a stack of its own (SIDECAR_TEST_PART), the part `masks` without scans, which would take the processors from the browsers. Without a part, all run but two-persons.
 */
const special = { findings: ['**/findings.spec.ts', '**/without-permission.spec.ts'], 'two-persons': ['**/two-persons.spec.ts'] };
const part = process.env.SIDECAR_TEST_PART ?? 'all';
const specs =
  part === 'findings' || part === 'two-persons' ? { testMatch: special[part] } : { testIgnore: [...special['two-persons'], ...(part === 'masks' ? special.findings : [])] };
const results = `test-results/${part}`;

// The stack is started outside (start.sh); support/stack.ts says how it is found.
export default defineConfig({
  testDir: 'specs',
  ...specs,
  outputDir: results,
  globalSetup: './support/logIn.ts',
  fullyParallel: true,
  // Two browsers keep two cores busy: WebGL is drawn by the processor here.
  workers: 2,
  timeout: 180_000,
  expect: { timeout: 30_000 },
  forbidOnly: true,
  retries: 0,
  reporter: [['list'], ['json', { outputFile: `${results}.json` }]],
  use: {
    baseURL: baseUrl,
    viewport: { width: 1400, height: 900 },
    locale: 'en-US',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: process.env.SIDECAR_TEST_CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
        // Software WebGL: what is drawn is the same on every machine.
        '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist',
        // Only what WebGL draws: put together by SwiftShader as well, the page took more processor time than all else in a test.
        '--disable-gpu-compositing',
      ],
    },
  },
});
