// Uses the built dashboard as a person would, against the mock server: keyboard, live tail, filters, dialogs, hostile content, themes.
// node web/dev/check.mjs
import assert from 'node:assert/strict';
import { openBrowser, overflowOf, watchPage } from './browser.mjs';
import { startMockServer } from './mock-server.mjs';

const problems = [];
const isExpected = (text) => /the server responded with a status of (401|503|404)/.test(text);
const steps = [];
const step = (name, run) => steps.push([name, run]);

/** The page's own path and query, as a person sees them. */
const address = (page) => page.evaluate(() => location.pathname + location.search);
const rows = (page) => page.locator('[data-row]');

step('a stranger is led to the login and back to the page wanted', async ({ open }) => {
  const { page, server } = await open({ mode: 'unauthenticated' });
  await page.goto(`${server.base}/traces?status=error`);
  await page.waitForURL(/\/login\?next=/);
  await page.fill('input[name=adminKey]', 'pla_wrong_key'.replace('pla_', 'plx_'));
  await page.keyboard.press('Enter');
  await page.getByText('This key is not valid').waitFor();
  await page.fill('input[name=adminKey]', server.adminKey);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Traces' }).waitFor();
  assert.equal(await address(page), '/traces?status=error');
});

step('a foreign "next" is not followed', async ({ open }) => {
  const { page, server } = await open({ mode: 'unauthenticated' });
  for (const next of ['//evil.example', 'https://evil.example', '/\\evil.example']) {
    await page.goto(`${server.base}/login?next=${encodeURIComponent(next)}`);
    await page.fill('input[name=adminKey]', server.adminKey);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    assert.ok(page.url().startsWith(server.base), page.url());
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.waitForURL(/\/login/);
  }
});

step('the keyboard reaches every page, the help and the rows', async ({ open }) => {
  const { page, server } = await open();
  await page.goto(server.base);
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  for (const [key, title] of [
    ['t', 'Traces'],
    ['f', 'Features'],
    ['p', 'Providers'],
    ['r', 'Routes'],
    ['l', 'Limits'],
    ['c', 'Cache'],
    ['k', 'Keys'],
    ['o', 'Overview'],
  ]) {
    await page.keyboard.press('g');
    await page.keyboard.press(key);
    await page.getByRole('heading', { level: 1, name: title }).waitFor();
  }
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('g');
  await page.keyboard.press('t');
  await rows(page).first().waitFor();
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement?.hasAttribute('data-search')), true);
  await page.keyboard.type('gj?');
  assert.equal(await page.inputValue('[data-search]'), 'gj?', 'keys typed into a field are text');
  await page.fill('[data-search]', '');
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => !location.search.includes('q='));
  await rows(page).first().waitFor();
  for (const key of ['j', 'j', 'k']) await page.keyboard.press(key);
  assert.equal(await page.evaluate(() => [...document.querySelectorAll('[data-row]')].indexOf(document.activeElement)), 0);
  for (let i = 0; i < 60; i += 1) await page.keyboard.press('j');
  assert.equal(await page.evaluate(() => document.activeElement?.hasAttribute('data-row')), true, 'the focus survives virtual scrolling');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/traces\/[0-9a-f]{32}/);
});

step('the live tail keeps the place and says how many are new', async ({ open }) => {
  const { page, server } = await open({ isLive: true });
  await page.goto(`${server.base}/traces`);
  await rows(page).first().waitFor();
  const before = await rows(page).first().getAttribute('href');
  await page.waitForFunction((href) => document.querySelector('[data-row]')?.getAttribute('href') !== href, before, { timeout: 8000 });
  const scroller = page.locator('[role=table] .overflow-y-auto');
  await scroller.evaluate((element) => element.scrollTo({ top: 700 }));
  await page.waitForTimeout(300);
  const place = () =>
    scroller.evaluate((element) => {
      const top = element.getBoundingClientRect().top;
      const row = [...element.querySelectorAll('[role=row]')].find((each) => each.getBoundingClientRect().top >= top + 30);
      return { href: row?.querySelector('a')?.getAttribute('href'), offset: Math.round(row?.getBoundingClientRect().top - top) };
    });
  const seen = await place();
  await page.getByRole('button', { name: /new$/ }).waitFor({ timeout: 8000 });
  await page.waitForTimeout(2200);
  assert.deepEqual(await place(), seen, 'the row in view stays where it is');
  await page.getByRole('button', { name: /new$/ }).click();
  assert.equal(await scroller.evaluate((element) => element.scrollTop), 0);
  await page.getByRole('button', { name: 'Live' }).click();
  const paused = await rows(page).first().getAttribute('href');
  await page.waitForTimeout(2200);
  assert.equal(await rows(page).first().getAttribute('href'), paused, 'a paused tail does not move');
});

step('the list loads page after page to its end', async ({ open }) => {
  const { page, server } = await open({ count: 450 });
  await page.goto(`${server.base}/traces`);
  await rows(page).first().waitFor();
  await page.getByRole('button', { name: 'Live' }).click();
  const scroller = page.locator('[role=table] .overflow-y-auto');
  await page.waitForFunction(
    (element) => {
      element.scrollTop = element.scrollHeight;
      return element.textContent.includes('that is all');
    },
    await scroller.elementHandle(),
    { timeout: 10_000, polling: 200 },
  );
  assert.match(await scroller.textContent(), /4[45]\d traces, that is all/);
});

step('filters live in the URL and come back', async ({ open }) => {
  const { page, server } = await open();
  await page.goto(`${server.base}/traces?nonsense=1&status=fine&minDurationMs=-4`);
  await rows(page).first().waitFor();
  await page.selectOption('select[aria-label=Status]', 'error');
  await page.waitForURL(/status=error/);
  await page.getByRole('button', { name: 'More filters' }).click();
  await page.fill('input[name=minDurationMs]', '20');
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.waitForURL(/minDurationMs=20/);
  await page.reload();
  await rows(page).first().waitFor();
  assert.equal(await page.locator('select[aria-label=Status]').inputValue(), 'error');
  assert.ok((await page.locator('[role=row]').allInnerTexts()).slice(1).every((text) => text.includes('Error')));
  await page.getByRole('button', { name: /Remove filter Duration/ }).click();
  await page.waitForURL((url) => !url.search.includes('minDurationMs'));
});

step('hostile content stays text', async ({ open }) => {
  const { page, server, context } = await open();
  const requests = [];
  context.on('request', (request) => requests.push(request.url()));
  await page.goto(`${server.base}/traces?q=${encodeURIComponent('<script>')}`);
  await rows(page).first().click();
  await page.getByText('Image not loaded: pixel').waitFor();
  await page.getByRole('button', { name: 'Markdown', exact: true }).first().click();
  const article = page.locator('article');
  assert.equal(await article.locator('script, img, iframe, style, object').count(), 0);
  for (const link of await article.locator('a[target=_blank]').all()) {
    assert.match((await link.getAttribute('href')) ?? '', /^(https?|mailto):/);
    assert.match((await link.getAttribute('rel')) ?? '', /noopener/);
  }
  await page.getByText('(evil.example)').waitFor();
  for (const tab of ['Tokens and cost', 'Attributes', 'Raw']) await page.getByRole('tab', { name: tab }).click();
  assert.deepEqual(
    requests.filter((url) => !url.startsWith(server.base)),
    [],
    'nothing is fetched from elsewhere',
  );
});

step('charts turn into tables, zoom by drag, and share a cursor', async ({ open }) => {
  const { page, server } = await open();
  await page.goto(server.base);
  const figure = page.getByRole('figure', { name: 'Requests and errors' });
  await figure.locator('canvas').waitFor();
  const box = await figure.locator('.u-over').boundingBox();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 40);
  await page
    .getByRole('figure', { name: 'Cost' })
    .getByText(/\$\d|–/)
    .first()
    .waitFor();
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.75, box.y + 50, { steps: 5 });
  await page.mouse.up();
  await page.waitForURL(/from=\d+&to=\d+/);
  await figure.getByRole('button', { name: 'Table' }).click();
  assert.ok((await figure.locator('tbody tr').count()) > 5);
});

step('the newest step of a chart is drawn, so that the very first call is seen', async ({ open }) => {
  const { page, server } = await open({ count: 1, isOneCallNow: true });
  await page.goto(server.base);
  const canvas = page.getByRole('figure', { name: 'Requests and errors' }).locator('canvas');
  await canvas.waitFor();
  const bluePixels = () =>
    canvas.evaluate((element) => {
      const { data } = element.getContext('2d', { willReadFrequently: true }).getImageData(0, 0, element.width, element.height);
      let count = 0;
      for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200 && data[i + 2] > data[i] + 60) count += 1;
      return count;
    });
  await page.waitForTimeout(300);
  assert.ok((await bluePixels()) > 100, `${await bluePixels()} pixels of the bar`);
});

step('a key is shown once, and revoked only after a question', async ({ open }) => {
  const { page, server } = await open();
  await page.goto(`${server.base}/keys`);
  await page.getByRole('button', { name: 'Create a key' }).click();
  await page.fill('input[name=name]', 'nightly');
  await page.getByRole('button', { name: 'Create the key' }).click();
  await page.getByText(/^plk_/).first().waitFor();
  await page.keyboard.press('Escape');
  assert.equal(await page.getByRole('dialog', { name: 'The new key' }).count(), 1, 'Esc does not lose a key that is shown once');
  await page.getByRole('button', { name: 'I have stored it' }).click();
  assert.equal(await page.getByText('plk_Zk8Qw21xN0rVqj3m').count(), 0);
  await page.getByRole('button', { name: 'Revoke nightly' }).click();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Revoke nightly' }).click();
  await page.getByRole('button', { name: 'Revoke the key' }).click();
  await page.getByRole('row', { name: /nightly.*Revoked/ }).waitFor();
});

step('a feature is paused with a reason, which can be undone, and resumed', async ({ open }) => {
  const { page, server } = await open();
  await page.goto(`${server.base}/features`);
  const row = (name) => page.getByRole('row', { name: new RegExp(name) });
  await row('customer-support').getByText('takes calls').waitFor();
  await page.getByRole('button', { name: 'Pause customer-support' }).click();
  await page.getByRole('button', { name: 'Pause the feature' }).click();
  assert.equal(await page.getByRole('dialog').count(), 1, 'not without a reason');
  await page.fill('input[name=reason]', 'drill <b>1</b>');
  await page.getByRole('button', { name: 'Pause the feature' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await row('customer-support').getByText('paused').hover();
  await page
    .getByRole('tooltip')
    .getByText(/Ada Lovelace, until .*: drill <b>1<\/b>/)
    .waitFor();
  await page.getByRole('status').getByRole('button', { name: 'Undo' }).click();
  await row('customer-support').getByText('takes calls').waitFor();
  await page.getByRole('button', { name: 'Throttle customer-support' }).click();
  await page.selectOption('select[name=unit]', 'rps');
  await page.fill('input[name=amount]', '3');
  await page.fill('input[name=reason]', 'drill');
  await page.getByRole('button', { name: 'Throttle the feature' }).click();
  await row('customer-support').getByText('3 calls/s').waitFor();
  await page.getByRole('button', { name: 'Resume search-rewrite' }).click();
  await page.getByRole('button', { name: 'Resume the feature' }).click();
  await row('search-rewrite').getByText('takes calls').waitFor();
  await page.getByRole('status').getByRole('button', { name: 'Undo' }).click();
  await row('search-rewrite').getByText('20 % of calls').waitFor();
  await page.goto(`${server.base}/features/claims-triage`);
  await page.getByText('INC-42').waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

step('providers name who is out, since when and why, whose page says so, and which model ends', async ({ open }) => {
  const { page, server } = await open();
  await page.goto(`${server.base}/providers`);
  const row = (name) => page.getByRole('row', { name: new RegExp(`^${name} `) });
  await row('gpt-5-mini').getByText('5 failures in a row').waitFor();
  await row('gpt-5-nano').getByText('probing').waitFor();
  // Nobody called it: no number is made up.
  assert.equal(await row('gpt-4o').getByText('unmeasured').count(), 4);
  await page.getByText('The page confirms what the gateways see.').waitFor();
  await page.getByText('<b>on small models</b>').waitFor();
  await page.getByRole('list', { name: 'Ends of models' }).getByText('plimsoll models migrate gpt-4o').waitFor();
  await page.getByRole('button', { name: 'Last 7 days' }).click();
  await page.waitForURL(/range=7d/);
});

step('limits put the exceeded ones first, and their filters and pages live in the URL', async ({ open }) => {
  const { page, server } = await open({ mode: 'degraded' });
  await page.goto(`${server.base}/limits`);
  const line = page.getByRole('row').nth(1);
  await line.getByText('search-rewrite').waitFor();
  await page.getByText(/gateway-2 does not answer, last heard of/).waitFor();
  const bar = page.getByRole('img', { name: '$24.31 used, $0.04 held by calls in flight, $0 left of $20 per day' });
  assert.equal(await bar.count(), 1);
  assert.equal(await page.getByRole('row').count(), 101);
  await page.getByRole('button', { name: 'Show more' }).click();
  await page.waitForURL(/lines=200/);
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length > 110);
  await page.selectOption('select[aria-label=Scope]', 'session');
  await page.waitForURL((url) => url.search === '?scope=session');
  await page.getByText('<img src=x onerror=alert(1)>').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('nobody');
  await page.getByText('No limit has this name.').waitFor();
  await page.goto(`${server.base}/limits?view=events`);
  await page.getByText('read_file').first().waitFor();
  await page.getByRole('button', { name: 'Show earlier events' }).click();
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 83);
});

step('routes say where the traffic went and why, and lead to its traces', async ({ open }) => {
  const { page, server } = await open();
  await page.goto(`${server.base}/routes`);
  const careful = page.locator('section[aria-labelledby=route-careful]');
  await careful.getByText('≈ $2.31').waitFor();
  await careful.getByText('Judged simple 901, complex 634.').waitFor();
  await careful.getByText('no longer in the route').waitFor();
  await page.locator('section[aria-labelledby=route-unused]').getByText('unmeasured').first().waitFor();
  await page.getByRole('img', { name: '73.5 % of the answers, 3,309' }).first().waitFor();
  await page.selectOption('select[aria-label=Route]', 'careful');
  await page.waitForURL(/route=careful/);
  await page.waitForFunction(() => document.querySelectorAll('h2').length === 2);
  await page.getByText('shadow gpt-4o').first().waitFor();
  await careful.getByRole('link', { name: 'claude-sonnet' }).click();
  await page.waitForURL(/traces\?route=careful&model=claude-sonnet/);
});

step('caches show how often they are wrong, and are purged only after a question', async ({ open }) => {
  const { page, server } = await open();
  await page.goto(`${server.base}/cache`);
  const row = (name) => page.getByRole('row', { name: new RegExp(`^${name} `) });
  await row('contract-summary').getByText('semantic off').waitFor();
  await row('search-rewrite').getByText('unpriced').waitFor();
  await row('onboarding-guide').getByText('unmeasured').first().waitFor();
  await page.getByText(/14 of n = 240/).waitFor();
  await page.getByRole('button', { name: 'Purge search-rewrite' }).click();
  await page.getByText('This voids every kept answer of search-rewrite.').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Purge…' }).click();
  await page.getByRole('button', { name: 'Purge', exact: true }).click();
  assert.equal(await page.getByRole('dialog').count(), 1, 'not without saying what');
  await page.fill('input[name=tag]', 'release=<b>1</b>');
  await page.getByRole('button', { name: 'Purge', exact: true }).click();
  await page.getByText(/Purge 4 voids kept answers with the tag release=<b>1<\/b> on every gateway/).waitFor();
  await page.getByText('4 purges so far').waitFor();
});

step('theme and time zone are kept', async ({ open }) => {
  const { page, server } = await open();
  await page.goto(`${server.base}/traces`);
  await rows(page).first().waitFor();
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.getByRole('button', { name: 'Dark theme' }).click();
  assert.notEqual(await ground(), light);
  const local = await page.locator('[role=row] time').first().textContent();
  await page.getByRole('button', { name: /^Times/ }).click();
  assert.notEqual(await page.locator('[role=row] time').first().textContent(), local);
  await page.locator('[role=row] time').first().hover();
  await page
    .getByRole('tooltip')
    .getByText(/^\d{4}-\d\d-\d\dT.*Z$/)
    .waitFor();
  await page.reload();
  await rows(page).first().waitFor();
  assert.notEqual(await ground(), light);
  await page
    .getByRole('button', { name: /^Times/ })
    .getByText('UTC')
    .waitFor();
});

step('a lost control is named, and what was read stays', async ({ open }) => {
  const { page, server } = await open({ failsNetwork: true });
  await page.goto(server.base);
  await page.getByRole('figure', { name: 'Cost' }).waitFor();
  await server.close();
  await page.getByText('Control is not reachable').first().waitFor({ timeout: 10_000 });
  await page.getByText('/v1 keeps serving').waitFor();
  assert.equal(await page.getByRole('figure', { name: 'Cost' }).count(), 1);
});

step('a phone never scrolls sideways', async ({ open }) => {
  const { page, server } = await open({ width: 390 });
  for (const path of [
    '/',
    '/traces',
    '/features',
    '/features/customer-support',
    '/features/claims-triage',
    '/providers',
    '/limits',
    '/limits?view=events',
    '/routes',
    '/cache',
    '/keys',
    '/login',
    '/nothing-here',
  ]) {
    await page.goto(`${server.base}${path}`);
    await page.waitForTimeout(500);
    assert.equal(await overflowOf(page), 0, path);
  }
  await page.goto(server.base);
  await page.getByRole('button', { name: 'Settings and status' }).click();
  await page.getByRole('button', { name: 'Dark theme' }).waitFor();
});

let failed = 0;
for (const [name, run] of steps) {
  const closers = [];
  const open = async ({ width = 1440, failsNetwork = false, ...options } = {}) => {
    const server = await startMockServer({ count: 1500, ...options });
    const { context, close } = await openBrowser({ width, height: 900, theme: 'light' });
    closers.push(close, () => server.close().catch(() => undefined));
    const page = await context.newPage();
    watchPage(page, problems, failsNetwork ? () => true : isExpected);
    page.setDefaultTimeout(10_000);
    return { page, server, context };
  };
  try {
    await run({ open });
    process.stdout.write(`ok      ${name}\n`);
  } catch (error) {
    failed += 1;
    process.stdout.write(
      `FAILED  ${name}\n        ${String(error.stack ?? error)
        .split('\n')
        .slice(0, 12)
        .join('\n        ')}\n`,
    );
  } finally {
    for (const close of closers) await close();
  }
}
for (const problem of problems) process.stdout.write(`problem: ${problem}\n`);
process.exitCode = failed + problems.length > 0 ? 1 : 0;
