import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, describe, it } from 'node:test';
import type { JsonValue, ScriptReply } from '../../evals/scorer.ts';
import { score } from '../../evals/testing.ts';
import { ScriptPool } from './script-pool.ts';

const pool = new ScriptPool({ size: 1, timeoutMs: 3000 });
after(() => pool.close());

function body(source: string, output: JsonValue = 'out', context: JsonValue = {}): Promise<ScriptReply> {
  return pool.run({ kind: 'body', source, exportName: null, output, context });
}
function module(source: string, exportName: string | null = null): Promise<ScriptReply> {
  return pool.run({ kind: 'module', source, exportName, output: 'out', context: { vars: { a: 1 } } });
}
async function returned(reply: Promise<ScriptReply>): Promise<JsonValue> {
  const settled = await reply;
  assert.equal(settled.state, 'returned', JSON.stringify(settled));
  return settled.state === 'returned' ? settled.value : null;
}
async function threw(reply: Promise<ScriptReply>, message: RegExp): Promise<void> {
  const settled = await reply;
  assert.ok(settled.state === 'threw' && message.test(settled.message), JSON.stringify(settled));
}
async function stopped(reply: Promise<ScriptReply>, message: RegExp): Promise<void> {
  const settled = await reply;
  assert.ok(settled.state === 'stopped' && message.test(settled.message), JSON.stringify(settled));
}

describe('scripts', () => {
  it('run with output and context, also when they are async', async () => {
    assert.equal(await returned(body('return output.length + context.vars.n', 'four', { vars: { n: 1 } })), 5);
    assert.deepEqual(await returned(body('return { pass: await_ === 1 }; var await_')), { pass: false });
    assert.equal(await returned(body('return Promise.resolve(true)')), true);
    assert.equal(await returned(body('return typeof process.env.HOME')), 'undefined');
    assert.equal(await returned(body('console.log(output); return new Function("return 7")()')), 7);
  });

  it('are modules of either kind, or TypeScript', async () => {
    assert.equal(await returned(module('module.exports = (output, { vars }) => output + vars.a')), 'out1');
    assert.equal(await returned(module('module.exports = { check: () => 2 }', 'check')), 2);
    assert.equal(await returned(module('export default async (output: string): Promise<number> => output.length')), 3);
    assert.equal(
      await returned(
        module('interface A { b: string }\nexport function check(output: string): A { return { b: output } }', 'check').then((reply) =>
          reply.state === 'returned' ? { ...reply, value: JSON.stringify(reply.value) } : reply,
        ),
      ),
      '{"b":"out"}',
    );
    await threw(module('export const a = 1'), /no function/);
    await threw(module('import fs from "node:fs"; export default () => fs'), /cannot be loaded/);
    await threw(module('const fs = require("fs"); module.exports = () => fs'), /cannot be loaded/);
    await threw(module('const a: number = '), /Expression expected|Unexpected/);
  });

  it('say what is wrong with them', async () => {
    await threw(body('return output.a.b'), /Cannot read properties/);
    await threw(body('return ('), /Unexpected/);
    await threw(body('return undefined'), /undefined/);
    await threw(body('return 0 / 0'), /NaN/);
    await threw(body('const a = {}; a.a = a; return a'), /circular/i);
    await threw(body('return 1n'), /BigInt/);
    await threw(body('return "x".repeat(2e6)'), /characters/);
    await threw(body('throw { get message() { throw 1 } }'), /without a message/);
  });
});

describe('hostile scripts', () => {
  it('are stopped when they do not end, and the next one is not', async () => {
    await stopped(body('for (;;);'), /longer than 3000 ms/);
    assert.equal(await returned(body('return 1')), 1);
    await stopped(body('return new Promise(() => {})'), /longer than/);
    // Goes on for ever after its answer: the next script gets another process.
    assert.equal(await returned(body('(async () => { for (;;) await null })(); return 1')), 1);
    assert.equal(await returned(body('return 2')), 2);
    await stopped(body('return /^(a+)+$/.test("a".repeat(50) + "b")'), /longer than/);
  });

  it('cannot fill the memory', async () => {
    await stopped(body('const a = []; for (;;) a.push({ a: [1, 2, 3], b: "x".repeat(1000) + a.length })'), /MiB|longer|ended/);
    await threw(body('return new Uint8Array(4e9).fill(1).length'), /not defined/);
    await threw(body('return new ArrayBuffer(4e9).byteLength'), /not defined/);
    assert.equal(await returned(body('return 1')), 1);
  });

  it('see nothing of Node', async () => {
    assert.deepEqual(
      await returned(
        body(
          'return [typeof require, typeof module, typeof fetch, typeof Buffer, typeof setTimeout, typeof WebAssembly, Object.keys(process)].join()',
        ),
      ),
      'undefined,undefined,undefined,undefined,undefined,undefined,env',
    );
    await threw(body('return import("node:fs").then((fs) => fs.readFileSync("/etc/passwd", "utf8"))'), /dynamic import/i);
    await threw(body('return process.exit(1)'), /not a function/);
  });

  // Each tries to get hold of the realm outside: by the receiver, arguments, errors of Node, promises, call sites.
  const ESCAPES = [
    'return this.constructor.constructor("return process")().pid',
    'return output.constructor.constructor("return process")().pid',
    'return context.constructor.constructor("return process")().pid',
    'return import("x").catch((error) => error.constructor.constructor("return process")().pid)',
    'return import("x").constructor.constructor("return process")().pid',
    'try { null.f() } catch (error) { return error.constructor.constructor("return process")().pid }',
    'const f = () => f(); try { f() } catch (error) { return error.constructor.constructor("return process")().pid }',
    'Error.prepareStackTrace = (_, sites) => sites; const sites = new Error().stack; for (const site of sites) { const found = site.getFunction?.() ?? site.getThis?.(); if (found?.constructor) return found.constructor.constructor("return process")().pid } return null.none',
    'return import("x").catch(({ constructor }) => { Error.prepareStackTrace = null; constructor.prepareStackTrace = (_, sites) => sites.map((site) => site.getThis()?.process ?? site.getFunction()?.constructor("return process")()).find(Boolean); return new constructor().stack.pid.toFixed() })',
    'return { get then() { return (resolve) => resolve.constructor("return process")().pid } }',
    'return { toJSON() { return this.constructor.constructor("return process")().pid } }',
  ];
  for (const source of ESCAPES) {
    it(`find no process: ${source.slice(0, 90)}`, async () => {
      const reply = await body(source);
      assert.ok(reply.state !== 'returned' || typeof reply.value !== 'number', JSON.stringify(reply));
    });
  }

  it('reach no network and no file when they do leave their context', async () => {
    // As an attacker with all of the host's realm would: the same flags, code that begins outside of any context.
    const { execFile } = await import('node:child_process');
    let connections = 0;
    const server = createServer(() => connections++).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number }; // listens on TCP
    const attempts = [
      'process.getBuiltinModule("fs").readFileSync("/etc/passwd")',
      'process.getBuiltinModule("fs").writeFileSync("/tmp/plimsoll-escape", "x")',
      'process.getBuiltinModule("child_process").execSync("id")',
      `await new Promise((resolve, reject) => process.getBuiltinModule("net").connect(${port}, "127.0.0.1").on("error", reject).on("connect", resolve))`,
      `await fetch("http://127.0.0.1:${port}")`,
      'new (process.getBuiltinModule("worker_threads").Worker)("1", { eval: true })',
      'new Function("return 1")()',
      'process.getBuiltinModule("inspector").open()',
    ];
    const source = `${attempts.map((attempt) => `try { ${attempt}; console.log("done") } catch { console.log("refused") }`).join('\n')}\nprocess.exit()`;
    const flags = [
      '--permission',
      '--jitless',
      '--disallow-code-generation-from-strings',
      '--no-warnings',
      '--input-type=module',
      '--eval',
      source,
    ];
    const said = await new Promise<string>((resolve) => execFile(process.execPath, flags, { env: {} }, (_error, out) => resolve(out)));
    server.close();
    assert.deepEqual(
      said.trim().split('\n'),
      attempts.map(() => 'refused'),
    );
    assert.equal(connections, 0);
  });

  it('change nothing of ours, and nothing of one another', async () => {
    await body(
      'Object.prototype.polluted = 1; Array.prototype.map = null; JSON.stringify = () => "1"; Promise.prototype.then = null; return 1',
    );
    assert.equal(({} as { polluted?: number }).polluted, undefined);
    assert.equal(await returned(body('return typeof {}.polluted')), 'undefined');
    const value = await returned(body('return JSON.parse(\'{"__proto__": {"polluted": 1}, "constructor": 2}\')'));
    assert.equal((value as { polluted?: number }).polluted, undefined);
    await body('globalThis.left = 1; return 1');
    assert.equal(await returned(body('return typeof left')), 'undefined');
  });
});

describe('javascript assertions', () => {
  const tools = { judge: () => assert.fail(), embed: () => assert.fail(), moderate: () => assert.fail(), scripts: pool };
  const CASES: [value: string, expected: [value: number, passed: boolean] | string, threshold?: number][] = [
    ['output === "Hello"', [1, true]],
    ['output.includes("x")', [0, false]],
    ['output.length / 10', [0.5, true]],
    ['output.length / 10', [0.5, false], 0.6],
    ['0', [0, false]],
    ['const a = output; a === "Hello; there" || a.length === 5;', [1, true]],
    ['let s = ";"; output.split(s).length', [1, true]],
    ['const a = 1;\nreturn a > context.vars.limit', [1, true]],
    ['JSON.parse(output).a > 1', [0, false]],
    ['({ pass: true, score: 0.3, reason: "because" })', [0.3, true]],
    ['({ pass: false, score: 0.9, reason: "no" })', [0.9, false]],
    ['"text"', 'failed'],
    ['0 / 0', [0, false]],
    ['process.env.KEY === undefined', [1, true]],
  ];
  for (const [value, expected, threshold] of CASES) {
    it(`${value.slice(0, 60)} → ${expected}`, async () => {
      const options = threshold === undefined ? { value } : { value, threshold };
      const result = await score('javascript', options, { output: 'Hello', variables: { limit: 0 } }, tools);
      assert.deepEqual(result.state === 'measured' ? [result.value, result.passed] : result.state, expected, JSON.stringify(result));
    });
  }

  it('turned round, keep the number of a function, and what throws passes neither way', async () => {
    const turned = async (value: string): Promise<unknown> => {
      const result = await score('not-javascript', { value }, { output: 'Hello' }, tools);
      return result.state === 'measured' ? [result.value, result.passed] : result.state;
    };
    assert.deepEqual(await turned('0.7'), [0.7, false]);
    assert.deepEqual(await turned('false'), [1, true]);
    assert.deepEqual(await turned('nothing.here'), [0, false]);
  });

  it('carry named scores and config', async () => {
    const value = '({ pass: true, score: 1, reason: "r", namedScores: { tone: context.config.tone } })';
    const result = await score('javascript', { value, config: { tone: 0.4 } }, { output: '' }, tools);
    assert.deepEqual(result.state === 'measured' ? result.parts : null, [{ name: 'tone', value: 0.4 }]);
  });
});
