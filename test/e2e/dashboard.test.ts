import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildWeb } from '../../scripts/build-web.mjs';
import { within } from '../../src/kernel/testing.ts';
import { openBrowser, overflowOf, watchPage } from '../../web/dev/browser.mjs';
import { type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const browserPath = process.env.PLIMSOLL_CHROMIUM ?? '/usr/bin/chromium';
const skip = existsSync(browserPath) ? false : 'no Chromium; set PLIMSOLL_CHROMIUM to its path';

const COSTS = ['', '?tab=units', '?tab=budgets', '?tab=anomalies', '?tab=waste', '?tab=statements', '?tab=invoices', '?tab=plan'].map(
  (search) => `/costs${search}`,
);

describe('dashboard in a browser', { skip }, () => {
  let plimsoll: Plimsoll;
  before(async () => {
    await buildWeb();
    plimsoll = await startPlimsoll();
  });
  after(() => plimsoll?.stop());

  it('a first call is on the Traces page within 2 s, and opens as a waterfall, without a console error', async () => {
    const { context, close } = await openBrowser({ width: 1440, height: 900, theme: 'light' });
    const problems: string[] = [];
    try {
      const page = await context.newPage();
      watchPage(page, problems, (text: string) => /status of 401/.test(text));
      await page.goto(`${plimsoll.url}/traces`);
      await page.fill('input[name=adminKey]', plimsoll.adminKey);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Traces' }).waitFor();
      const answer = await fetch(`${plimsoll.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${plimsoll.virtualKey}`, 'content-type': 'application/json' },
        body: '{"model":"sim-small","messages":[{"role":"user","content":"Reply with the word OK, please, for the dashboard"}]}',
      });
      assert.equal(answer.status, 200);
      await answer.text();
      // Nobody reloads: the list follows by itself.
      const row = page.locator('[data-row]').first();
      await row.waitFor({ timeout: within(2_000) });
      await row.click();
      await page.getByText('infer').first().waitFor();
      await page.getByText('Reply with the word OK, please, for the dashboard').first().waitFor();
      assert.equal(await overflowOf(page), 0);
      for (const path of ['/', '/features', '/providers', '/routes', '/cache', '/limits', '/limits?view=events', ...COSTS, '/keys']) {
        await page.goto(`${plimsoll.url}${path}`);
        await page.locator('h1').first().waitFor();
        assert.equal(await overflowOf(page), 0, path);
      }
      assert.deepEqual(problems, []);
    } finally {
      await close();
    }
  });

  it('holds up under keyboard, filters, live tail, dialogs, hostile content and lost control (mock data)', {
    timeout: 600_000,
  }, async () => {
    const child = spawn(process.execPath, [join(ROOT, 'web', 'dev', 'check.mjs')], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const code = await new Promise((resolve) => child.on('close', resolve));
    assert.equal(code, 0, output);
  });
});
