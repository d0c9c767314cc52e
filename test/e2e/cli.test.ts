import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { CliContext } from '../../src/app/cli.ts';
import { COMMANDS } from '../../src/app/command-index.ts';
import { EXIT } from '../../src/app/process-messages.ts';
import type { Command } from '../../src/kernel/commands.ts';
import { within } from '../../src/kernel/testing.ts';
import { chat } from '../fault/chat.ts';
import { ADMIN_KEY, eventually, type Plimsoll, startPlimsoll } from '../harness/plimsoll.ts';
import { type CliResult, cli } from './cli-run.ts';

describe('command line', { timeout: 600_000 }, () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'plimsoll-cli-'));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  /** Every screen, whatever it says: no stack trace, no `undefined`, no line that wraps for its rubbish at the end. */
  function assertReadable({ stdout, stderr }: CliResult): void {
    for (const text of [stdout, stderr]) {
      assert.doesNotMatch(text, /\bundefined\b|\[object |NaN|^\s+at .+:\d+:\d+\)?$/m);
      assert.doesNotMatch(text, /[ \t]+$/m, 'blanks at a line’s end');
    }
  }

  describe('without a running Plimsoll', () => {
    const run = async (...words: string[]): Promise<CliResult> => {
      const result = await cli(words, { cwd: directory, variables: { PLIMSOLL_URL: 'http://127.0.0.1:9', PLIMSOLL_ADMIN_KEY: ADMIN_KEY } });
      assertReadable(result);
      return result;
    };

    it('the index says the same as the modules', async () => {
      for (const entry of COMMANDS) {
        const command = (await entry.load()).default as Command<CliContext>;
        assert.deepEqual({ name: command.name, summary: command.summary }, { name: entry.name, summary: entry.summary });
        assert.ok(command.example.startsWith(`plimsoll ${command.name}`), `the example of ${command.name}`);
        for (const [option, schema] of Object.entries(command.options.shape)) {
          assert.ok(/\S/.test((schema as { description?: string }).description ?? ''), `${command.name} --${option} has no help text`);
        }
      }
    });

    it('overview, groups, versions and help pages', async () => {
      const overview = await run('--help');
      for (const { name, summary } of COMMANDS) assert.ok(overview.stdout.includes(name) && overview.stdout.includes(summary), name);
      const group = await run('keys');
      assert.match(group.stdout, /keys create/);
      assert.doesNotMatch(group.stdout, /traces list/);
      assert.match((await run('--version')).stdout, /^\d+\.\d+\.\d+\n$/);
      const help = await run('keys', 'create', '--help');
      assert.equal(help.exitCode, 0);
      assert.match(help.stdout, /Usage: plimsoll keys create <name> \[options\]/);
      assert.match((await run('traces', 'list', '--help')).stdout, /--last <value> +Period .*24h/);
    });

    it('every command has a help page with its example and exit codes', async () => {
      const pages = await Promise.all(COMMANDS.map(({ name }) => run(...name.split(' '), '--help')));
      for (const page of pages) {
        assert.equal(page.exitCode, 0);
        assert.match(page.stdout, /Usage: plimsoll .+\n\nOptions:\n(.|\n)+\nExample: plimsoll .+\n\nExit codes:\n {4}0 /);
      }
    });

    for (const [words, message] of [
      [['kyes', 'list'], /There is no command "kyes list"; did you mean "keys list"\?/],
      [['keys', 'lst'], /There is no command "keys lst"; did you mean "keys list"\?/],
      [['serv'], /did you mean "serve"\?/],
      [['zzzzzz'], /There is no command "zzzzzz"; see: plimsoll --help/],
      [['costs', '--bt', 'model'], /Unknown option --bt; did you mean --by\?/],
      [['costs', '--by', 'modle'], /--by "modle": .*"model"/],
      [['keys', 'create'], /--name is required/],
      [['keys', 'list', 'extra'], /Unexpected argument "extra"/],
      [['traces', 'list', '--last', '3y'], /"3y" is not a period; write e\.g\. 30m, 24h or 7d/],
      [['traces', 'show', 'zzz'], /a trace id has 32 hex digits/],
      [['init', '--provider', 'sim'], /Nobody is there to answer/],
    ] as const) {
      it(`wrong usage: plimsoll ${words.join(' ')}`, async () => {
        const result = await run(...words);
        assert.equal(result.exitCode, EXIT.usage);
        assert.equal(result.stdout, '', 'stdout is for results');
        assert.match(result.stderr, message);
        assert.ok(result.stderr.trimEnd().split('\n').length <= 2, result.stderr);
        const json = await run(...words, '--json');
        assert.equal(json.exitCode, EXIT.usage);
        assert.equal(json.stdout, '');
        const { error } = JSON.parse(json.stderr) as { error: { code: string; message: string } };
        assert.equal(error.code, 'invalid_argument');
      });
    }

    it('no Plimsoll answers: says where it looked', async () => {
      const result = await run('features');
      assert.equal(result.exitCode, EXIT.unavailable);
      assert.match(result.stderr, /No Plimsoll answers at http:\/\/127\.0\.0\.1:9; start it with "npm start", or set PLIMSOLL_URL/);
      const wrong = await cli(['features'], { cwd: directory, variables: { PLIMSOLL_URL: 'nonsense', PLIMSOLL_ADMIN_KEY: ADMIN_KEY } });
      assert.equal(wrong.exitCode, EXIT.config);
      assert.match(wrong.stderr, /PLIMSOLL_URL must be a URL/);
    });

    it('init writes what config check accepts, and never over what is there', async () => {
      const words = ['init', '--feature', 'customer-support', '--owner', 'support: team "one"', '--cost-owner', 'finance@example.com'];
      for (const provider of ['openai', 'anthropic', 'ollama', 'sim']) {
        const target = join(directory, provider);
        const made = await run(...words, '--provider', provider, '--directory', target);
        assert.equal(made.exitCode, 0, made.stderr);
        assert.match(made.stdout, /plimsoll\.yaml, .*customer-support\.prompt, .*customer-support\.yaml/);
        const variables = { OPENAI_API_KEY: 'sk-test', ANTHROPIC_API_KEY: 'sk-test' };
        const checked = await cli(['config', 'check', join(target, 'plimsoll.yaml')], { cwd: directory, variables });
        assert.equal(checked.exitCode, 0, checked.stderr);
        assert.match(checked.stdout, /plimsoll\.yaml is right: 1 provider, 2 models, 1 route, 1 feature, 0 keys\.$/m);
      }
      const again = await run(...words, '--provider', 'openai', '--directory', join(directory, 'sim'));
      assert.equal(again.exitCode, EXIT.failed);
      assert.match(again.stderr, /exist already; use --force to replace\. Nothing was written/);
      assert.match(readFileSync(join(directory, 'sim', 'plimsoll.yaml'), 'utf8'), /kind: sim/);
    });

    it('config check names every finding with its line; without the variable it says so, offline it does not', async () => {
      const path = join(directory, 'wrong.yaml');
      writeFileSync(path, 'version: 1\nprovders: {}\nroutes: { default: { targets: [nothing] } }\n');
      const wrong = await run('config', 'check', path);
      assert.equal(wrong.exitCode, EXIT.config);
      assert.match(wrong.stderr, /wrong\.yaml:2:1 {2}provders: unknown key; did you mean "providers"\?/);
      const openai = join(directory, 'openai', 'plimsoll.yaml');
      const unset = await cli(['config', 'check', openai], { cwd: directory, variables: { OPENAI_API_KEY: '' } });
      assert.equal(unset.exitCode, EXIT.config);
      assert.match(unset.stderr, /OPENAI_API_KEY is not set/);
      assert.equal(
        (await cli(['config', 'check', openai, '--offline'], { cwd: directory, variables: { OPENAI_API_KEY: '' } })).exitCode,
        0,
      );
      const short = join(directory, 'short.yaml');
      writeFileSync(
        short,
        `${readFileSync(join(directory, 'sim', 'plimsoll.yaml'), 'utf8')}keys:\n  - { name: dev, key: "short", feature: customer-support }\n`,
      );
      const refused = await run('config', 'check', short);
      assert.equal(refused.exitCode, EXIT.config);
      assert.match(refused.stderr, /short\.yaml:\d+:\d+ .*5 characters/);
    });

    it('doctor says what is wrong on this machine and exits with 1', async () => {
      const nowhere = join(directory, 'nowhere');
      mkdirSync(nowhere);
      const result = await cli(['doctor', '--offline'], {
        cwd: nowhere,
        variables: { PLIMSOLL_URL: 'http://127.0.0.1:9', PLIMSOLL_PORT: '0' },
      });
      assertReadable(result);
      assert.equal(result.exitCode, 1);
      assert.match(result.stdout, /configuration: There is no configuration at/);
      assert.match(result.stdout, /1 problem, \d+ warnings?$/m);
    });
  });

  describe('with a running Plimsoll that init configured', () => {
    let plimsoll: Plimsoll;
    const run = async (...words: string[]): Promise<CliResult> => {
      const result = await cli(words, {
        cwd: join(directory, 'run'),
        variables: { PLIMSOLL_URL: plimsoll.url, PLIMSOLL_DATA_DIR: plimsoll.dataDirectory, PLIMSOLL_CONFIG: plimsoll.configPath },
      });
      assertReadable(result);
      return result;
    };
    const ok = async (...words: string[]): Promise<CliResult> => {
      const result = await run(...words);
      assert.equal(result.exitCode, 0, result.stderr);
      return result;
    };

    before(async () => {
      const target = join(directory, 'run');
      await cli(
        [
          'init',
          '--provider',
          'sim',
          '--feature',
          'customer-support',
          '--owner',
          'support',
          '--cost-owner',
          'a@example.com',
          '--directory',
          target,
        ],
        { cwd: directory },
      );
      plimsoll = await startPlimsoll({
        config: `${readFileSync(join(target, 'plimsoll.yaml'), 'utf8')}\nsim: { seed: 1, latencyFactor: 0.01 }\n`,
      });
      assert.equal((await chat(plimsoll.url, plimsoll.virtualKey)).status, 200);
    });
    after(() => plimsoll.stop());

    it('keys: create, list, revoke, and each has its effect', async () => {
      const created = await ok('keys', 'create', 'support widget', '--feature', 'customer-support', '--team', 'support');
      assert.match(created.stdout, /^plk_[\w-]+\n$/);
      assert.match(created.stderr, /Shown once/);
      const key = created.stdout.trim();
      await eventually(
        'the key works',
        async () => (await chat(plimsoll.url, key)).status,
        (status) => status === 200,
        within(3_000),
      );
      const list = (await ok('keys', 'list', '--json')).json<{ keys: { id: string; name: string }[] }>();
      const id = list.keys.find(({ name }) => name === 'support widget')?.id ?? '';
      assert.match((await ok('keys', 'list')).stdout, /support widget +plk_\S+… +customer-support +support +active +api/);
      assert.match((await ok('keys', 'revoke', id)).stdout, /Revoked/);
      await eventually(
        'the key is refused',
        async () => (await chat(plimsoll.url, key)).status,
        (status) => status === 401,
        within(3_000),
      );
      const missing = await run('keys', 'revoke', 'nope');
      assert.equal(missing.exitCode, EXIT.failed);
      assert.match(missing.stderr, /There is no key with id "nope"/);
      const misspelt = await run('keys', 'create', 'x', '--feature', 'customer-suport');
      assert.equal(misspelt.exitCode, EXIT.usage);
      assert.match(misspelt.stderr, /customer-support/);
    });

    it('keys admin makes an admin key that the running API takes', async () => {
      const key = (await ok('keys', 'admin')).stdout.trim();
      assert.match(key, /^pla_/);
      assert.equal((await fetch(`${plimsoll.url}/api/v1/features`, { headers: { authorization: `Bearer ${key}` } })).status, 200);
    });

    it('features: pause, throttle and resume, each with its effect', async () => {
      const status = async () => (await chat(plimsoll.url, plimsoll.virtualKey)).status;
      const feature = 'customer-support';
      assert.match((await ok('features', 'pause', feature, '--reason', 'drill', '--for', '30m')).stdout, /takes no calls until \d{4}-/);
      await eventually('it is paused', status, (code) => code === 503, within(1_000));
      const listed = await ok('features');
      assert.match(listed.stderr, new RegExp(`■ ${feature}: paused by \\w.* since .* until .*: drill`));
      const throttled = await ok('features', 'throttle', feature, '--reason', 'drill', '--share', '0.999');
      assert.match(throttled.stdout, /takes 99\.9 % of the calls until "plimsoll features resume/);
      assert.match((await ok('features', 'resume', feature)).stdout, /takes every call again/);
      await eventually('it is served', status, (code) => code === 200, within(1_000));
      const nothing = await run('features', 'resume', feature);
      assert.equal(nothing.exitCode, EXIT.failed);
      assert.match(nothing.stderr, /neither paused nor throttled/);
      const misspelt = await run('features', 'pause', 'customer-suport', '--reason', 'x');
      assert.match(misspelt.stderr, /Did you mean "customer-support"/);
      assert.equal((await run('features', 'pause', feature)).exitCode, EXIT.usage, 'not without a reason');
      assert.equal((await run('features', 'throttle', feature, '--reason', 'x', '--rps', '1', '--share', '0.5')).exitCode, EXIT.usage);
    });

    it('models migrate prints a patch of the file in force, and says what it cannot do', async () => {
      const plan = await ok('models', 'migrate', 'sim-large', '--to', 'sim-small');
      assert.match(plan.stdout, /^--- plimsoll\.yaml\n\+\+\+ plimsoll\.yaml\n@@ .*\n[\s\S]*^\+ .*model: sim-small/m);
      assert.match(plan.stderr, /○ evaluate: This version of Plimsoll has no evaluations yet/);
      assert.match((await run('models', 'migrate', 'sim-lage', '--to', 'x')).stderr, /Did you mean "sim-large"/);
    });

    it('features, models, costs, traces', async () => {
      assert.match((await ok('features')).stdout, /customer-support +support +default → sim-large, sim-small/);
      const lines = (await ok('features', 'lines', 'customer-support')).stdout;
      assert.match(lines, /^customer-support +Time to first token, P95 /m);
      assert.match(lines, /^ +Hallucination +unmeasured .* needs a judge/m);
      const unknown = await run('features', 'lines', 'nobody');
      assert.deepEqual([unknown.exitCode, /There is no feature "nobody"/.test(unknown.stderr)], [EXIT.failed, true]);
      assert.match((await ok('models', 'list')).stdout, /sim-large +simulated +sim-large +2\.5 +10 +config:/);
      const page = await eventually(
        'a trace',
        async () => (await ok('traces', 'list', '--json')).json<{ traces: { traceId: string }[] }>(),
        ({ traces }) => traces.length > 0,
      );
      const traceId = page.traces[0]?.traceId ?? '';
      assert.match((await ok('traces', 'list')).stdout, new RegExp(`● ok +customer-support +sim-large .+ ${traceId}`));
      const shown = await ok('traces', 'show', traceId);
      assert.match(shown.stdout, /\(simulated\)/);
      for (const stage of ['authenticate', 'admit', 'route', 'infer', 'settle'])
        assert.match(shown.stdout, new RegExp(`^ {2}${stage} +█| {2}${stage} .*█`, 'm'));
      const missing = await run('traces', 'show', 'a'.repeat(32));
      assert.equal(missing.exitCode, EXIT.failed);
      assert.match(missing.stderr, /There is no trace a{32}/);
      assert.match((await ok('costs')).stdout, /^customer-support +\d+ +\d+ +\d+ +\$0\.\d+\n/m);
      assert.match((await ok('costs', '--by', 'model', '--last', '1h')).stdout, /^sim-large +\d+/m);
      for (const words of [
        ['features'],
        ['models', 'list'],
        ['models', 'migrate', 'sim-large', '--to', 'sim-small'],
        ['costs'],
        ['keys', 'list'],
        ['doctor', '--offline'],
      ])
        assert.equal(typeof (await ok(...words, '--json')).json(), 'object');
    });

    it('doctor finds nothing wrong', async () => {
      const result = await ok('doctor');
      assert.match(result.stdout, /0 problems, 0 warnings/);
      assert.ok(result.stdout.includes(plimsoll.url), result.stdout);
    });

    it('sim backfill is visible in the summary, and is not written twice by mistake', async () => {
      const requests = async () => (await ok('costs', '--last', '7d', '--json')).json<{ total: { requests: number } }>().total.requests;
      const before = await requests();
      const written = (await ok('sim', 'backfill', '--days', '2', '--per-day', '50', '--json')).json<{ calls: number }>().calls;
      assert.ok(written > 20, `${written} calls`);
      await eventually('the backfill is there', requests, (count) => count === before + written);
      const again = await run('sim', 'backfill', '--days', '2', '--per-day', '50');
      assert.equal(again.exitCode, EXIT.failed);
      assert.match(again.stderr, new RegExp(`There was a backfill before \\(${written} calls over 2 days up to \\d{4}-`));
    });

    it('sim traffic drives the real gateway and reports what happened', async () => {
      const result = await ok('sim', 'traffic', '--rps', '5', '--minutes', '0.05', '--faults', '0');
      assert.match(result.stdout, /^Ran for \d+ s, simulated users\.\n\ncalls +\d+\nsucceeded +\d+\nfailed +0\n/m);
      assert.doesNotMatch((await ok('keys', 'list')).stdout, /sim traffic.* active /);
    });
  });
});
