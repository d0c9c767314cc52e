// Takes every page, light and dark, 1440 and 390 px wide, of a running Plimsoll:
//   node web/dev/screenshots.mjs --base http://127.0.0.1:4000 --admin-key pla_… --out docs/screenshots
// Without --base it starts the mock server and takes its special states too. Fails on a console error, a CSP violation or a page that scrolls sideways.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openBrowser, overflowOf, watchPage } from './browser.mjs';

const { values } = parseArgs({
  options: {
    base: { type: 'string' },
    out: { type: 'string', default: 'screenshots' },
    'admin-key': { type: 'string' },
    only: { type: 'string' },
    theme: { type: 'string' },
    width: { type: 'string' },
  },
});
const SIZES = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
].filter((size) => values.width === undefined || String(size.width) === values.width);
const THEMES = ['light', 'dark'].filter((theme) => values.theme === undefined || theme === values.theme);
const wants = (name) => values.only === undefined || values.only.split(',').some((each) => name.startsWith(each));

const problems = [];
mkdirSync(values.out, { recursive: true });

/** The 401 and 503 answers of a state that is shown on purpose are logged by Chromium. */
const isExpectedFailure = (text) => /the server responded with a status of (401|503)/.test(text);

async function settle(page) {
  // The pointer rests where the last click was; over a tile it would show a tooltip.
  await page.mouse.move(0, 0);
  await page.waitForLoadState('load');
  await page.waitForFunction(() => document.querySelector('h1') !== null && document.querySelector('.skeleton') === null, null, {
    timeout: 20_000,
  });
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(350);
}

async function shoot(page, name, { width, height, theme, isFullPage = true }) {
  await settle(page);
  const overflow = await overflowOf(page);
  if (overflow > 0) problems.push(`${name} at ${width} px is ${overflow} px too wide`);
  // The window grows to the page: Chromium's own full-page capture leaves canvases blank now and then.
  const fullHeight = isFullPage ? await page.evaluate(() => document.documentElement.scrollHeight) : height;
  if (fullHeight > height) {
    await page.setViewportSize({ width, height: Math.min(fullHeight, 6000) });
    await page.waitForTimeout(250);
  }
  await page.screenshot({ path: join(values.out, `${name}-${theme}-${width}.png`) });
  if (fullHeight > height) await page.setViewportSize({ width, height });
}

async function login(page, base, adminKey) {
  await page.goto(`${base}/login`);
  await page.fill('input[name=adminKey]', adminKey);
  await page.click('button[type=submit]');
  await page.waitForURL(`${base}/`);
}

/** Pages that every installation has. */
async function takePages(base, adminKey, theme, size) {
  const { context, close } = await openBrowser({ ...size, theme });
  try {
    const page = await context.newPage();
    watchPage(page, problems, isExpectedFailure);
    const options = { ...size, theme };
    if (wants('login')) {
      await page.goto(`${base}/login`);
      await shoot(page, 'login', options);
    }
    await login(page, base, adminKey);
    if (wants('overview')) await shoot(page, 'overview', options);
    const { firstTraceId, featureName, failedTraceId } = await examples(page);
    if (wants('traces')) {
      await page.goto(`${base}/traces`);
      await shoot(page, 'traces', { ...options, isFullPage: false });
    }
    if (wants('trace-') || wants('trace')) {
      if (firstTraceId) {
        await page.goto(`${base}/traces/${firstTraceId}`);
        await shoot(page, 'trace', options);
      }
      if (failedTraceId) {
        await page.goto(`${base}/traces/${failedTraceId}`);
        await shoot(page, 'trace-failed', options);
      }
    }
    if (wants('features')) {
      await page.goto(`${base}/features`);
      await shoot(page, 'features', options);
    }
    if (wants('feature') && featureName) {
      await page.goto(`${base}/features/${encodeURIComponent(featureName)}`);
      await shoot(page, 'feature', options);
    }
    for (const name of ['providers', 'routes', 'limits', 'cache', 'keys']) {
      if (!wants(name)) continue;
      await page.goto(`${base}/${name}`);
      await shoot(page, name, options);
    }
    if (wants('limits')) {
      await page.goto(`${base}/limits?view=events`);
      await shoot(page, 'limits-events', options);
    }
    if (values.base === undefined) await takeMockDetails(page, base, options);
  } finally {
    await close();
  }
}

/** A successful multi-turn trace and a failed one, from the API itself. */
async function examples(page) {
  return page.evaluate(async () => {
    const read = async (path) => (await fetch(path)).json();
    const { traces } = await read('/api/v1/traces?limit=100');
    const { features } = await read('/api/v1/features');
    const failed = await read('/api/v1/traces?limit=1&status=error');
    const good =
      traces.findLast(
        (trace) =>
          trace.status === 'ok' && trace.isStream && trace.feature === features[0]?.name && /^[\w ,.?'-]+$/.test(trace.inputPreview),
      ) ?? traces[0];
    return { firstTraceId: good?.traceId, featureName: features[0]?.name, failedTraceId: failed.traces[0]?.traceId };
  });
}

async function takeMockDetails(page, base, options) {
  const traces = await page.evaluate(async () => (await (await fetch('/api/v1/traces?limit=30')).json()).traces);
  const find = (text) => traces.find((trace) => trace.inputPreview.includes(text))?.traceId;
  const wanted = {
    'trace-hostile': find('<script>'),
    'trace-rtl': find('شحنتي'),
    'trace-long': find('averyvery'),
    'trace-json': find('as JSON'),
    'trace-fallback': traces.find((trace) => trace.attempts > 1)?.traceId,
    'trace-spans': traces.find((trace) => trace.spanCount > 300)?.traceId,
  };
  for (const [name, traceId] of Object.entries(wanted)) {
    if (!wants(name) || !traceId) continue;
    await page.goto(`${base}/traces/${traceId}`);
    await shoot(page, name, options);
    if (name === 'trace-fallback') {
      await page.getByRole('tab', { name: 'Tokens and cost' }).click();
      await shoot(page, 'trace-fallback-cost', options);
    }
  }
  if (wants('keys-create')) {
    await page.goto(`${base}/keys`);
    await settle(page);
    await page.getByRole('button', { name: 'Create a key' }).click();
    await page.fill('input[name=name]', 'batch summaries');
    await shoot(page, 'keys-create', { ...options, isFullPage: false });
    await page.getByRole('button', { name: 'Create the key' }).click();
    await page.getByText('I have stored it').waitFor();
    await shoot(page, 'keys-create-shown', { ...options, isFullPage: false });
    await page.getByText('I have stored it').click();
    await page.getByRole('button', { name: 'Revoke contract tool' }).click();
    await shoot(page, 'keys-revoke', { ...options, isFullPage: false });
    await page.keyboard.press('Escape');
  }
  if (wants('features-switch')) {
    await page.goto(`${base}/features`);
    await settle(page);
    await page.getByRole('button', { name: 'Throttle customer-support' }).click();
    await page.fill('input[name=reason]', 'INC-43: provider quota');
    await shoot(page, 'features-switch', { ...options, isFullPage: false });
    await page.getByRole('button', { name: 'Throttle the feature' }).click();
    await page.getByRole('button', { name: 'Undo' }).waitFor();
    await shoot(page, 'features-switched', options);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.goto(`${base}/features/claims-triage`);
    await shoot(page, 'features-switch-banner', options);
  }
  if (wants('help') && options.width > 500) {
    await page.goto(`${base}/`);
    await settle(page);
    await page.keyboard.press('?');
    await shoot(page, 'help', { ...options, isFullPage: false });
  }
  if (wants('filters')) {
    await page.goto(`${base}/traces?status=error&user=user-7&minDurationMs=100`);
    await settle(page);
    await page.getByRole('button', { name: /^(More f|F)ilters$/ }).click();
    await shoot(page, 'filters', { ...options, isFullPage: false });
  }
}

async function takeState(startMockServer, mode, paths, theme, size) {
  const server = await startMockServer({ mode });
  const { context, close } = await openBrowser({ ...size, theme });
  try {
    const page = await context.newPage();
    watchPage(page, problems, isExpectedFailure);
    for (const [name, path] of paths) {
      await page.goto(`${server.base}${path}`);
      await shoot(page, `${mode}-${name}`, { ...size, theme });
    }
  } finally {
    await close();
    await server.close();
  }
}

async function main() {
  const mock = values.base === undefined ? await import('./mock-server.mjs') : null;
  const server = mock ? await mock.startMockServer() : null;
  const base = (values.base ?? server.base).replace(/\/$/, '');
  try {
    for (const theme of THEMES)
      for (const size of SIZES) {
        await takePages(base, values['admin-key'] ?? server?.adminKey ?? '', theme, size);
        if (!mock) continue;
        if (wants('empty'))
          await takeState(
            mock.startMockServer,
            'empty',
            [
              ['overview', '/'],
              ['traces', '/traces'],
              ['providers', '/providers'],
              ['routes', '/routes'],
              ['cache', '/cache'],
              ['limits', '/limits'],
              ['limits-events', '/limits?view=events'],
              ['keys', '/keys'],
            ],
            theme,
            size,
          );
        if (wants('broken'))
          await takeState(
            mock.startMockServer,
            'broken',
            [
              ['overview', '/'],
              ['traces', '/traces'],
              ['providers', '/providers'],
            ],
            theme,
            size,
          );
        if (wants('degraded'))
          await takeState(
            mock.startMockServer,
            'degraded',
            [
              ['overview', '/'],
              ['limits', '/limits'],
            ],
            theme,
            size,
          );
        if (wants('unauthenticated'))
          await takeState(mock.startMockServer, 'unauthenticated', [['traces', '/traces?status=error']], theme, size);
      }
  } finally {
    await server?.close();
  }
}

try {
  await main();
} catch (error) {
  problems.push(String(error));
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`screenshots are in ${values.out}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
