import { defineConfig } from '@playwright/test';
import { baseUrl } from './support/stack.ts';

/** The stack asks for a second person (MaskJobs:TwoPersonApproval): a setting of the whole sidecar, so these tests have a run and a stack of their own. */
const twoPersons = process.env.SIDECAR_TEST_TWO_PERSONS === '1';
const results = `test-results/${twoPersons ? 'two-persons' : 'one-person'}`;

// The stack is started outside (start.sh); support/stack.ts says how it is found.
export default defineConfig({
  testDir: 'specs',
  [twoPersons ? 'testMatch' : 'testIgnore']: '**/two-persons.spec.ts',
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
      ],
    },
  },
});
