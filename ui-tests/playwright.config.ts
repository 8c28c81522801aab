import { createRequire } from 'node:module';

import { defineConfig } from '@playwright/test';

const baseConfig = createRequire(__filename)(
  '@jupyterlab/galata/lib/playwright-config'
);

const port = process.env.MLWS_UI_PORT ?? '8989';
process.env.TARGET_URL ??= `http://127.0.0.1:${port}`;
const url = process.env.TARGET_URL;

export default defineConfig({
  ...baseConfig,
  testDir: './tests',
  timeout: 180_000,
  // A waited-for page may be that of a busy machine; what comes sooner is not waited for.
  expect: { timeout: 20_000 },
  // One server with one database, and two cores: one page at a time.
  workers: 1,
  // On a busy machine Galata's own waits give up too early.
  retries: process.env.CI ? 2 : 0,
  reporter: [
    ['list'],
    ['html', { open: 'never', outputFolder: 'playwright-report' }]
  ],
  use: {
    ...baseConfig.use,
    baseURL: url,
    video: 'off',
    // Recording each page costs as much as the page does.
    trace: process.env.CI ? 'on-first-retry' : 'retain-on-failure',
    viewport: { width: 1280, height: 800 },
    launchOptions: {
      executablePath:
        process.env.MLWS_CHROMIUM ||
        process.env.CHROMIUM ||
        '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-dev-shm-usage',
        '--disable-sync',
        '--no-first-run'
      ]
    }
  },
  webServer: {
    command: 'bash start.sh',
    url: `${url}/lab`,
    timeout: 120_000,
    gracefulShutdown: { signal: 'SIGTERM', timeout: 10_000 },
    reuseExistingServer: false,
    stdout: process.env.MLWS_UI_LOG ? 'pipe' : 'ignore',
    stderr: process.env.MLWS_UI_LOG ? 'pipe' : 'ignore'
  }
});
