// Runs in a process of its own, under Node's permission model without any permission, no environment, no JIT, no code from strings outside the
// scripts' own contexts. See script-process.ts. Requests are lines of JSON on stdin; each answer is a line of JSON on stdout.
import vm from 'node:vm';

const MAX_ANSWER_CHARACTERS = 1_000_000;

/** Evaluated in each new context before the script: keeps what it uses, so that the script can change nothing of it. */
const PRELUDE = `(() => {
  'use strict';
  const { parse, stringify } = JSON;
  const { freeze } = Object;
  const text = String;
  // Memory that the limit of the heap does not count.
  for (const name of ['ArrayBuffer', 'SharedArrayBuffer', 'Atomics', 'DataView', 'Uint8Array', 'Int8Array', 'Uint16Array', 'Int16Array', 'Uint32Array',
    'Int32Array', 'BigUint64Array', 'BigInt64Array', 'Uint8ClampedArray', 'Float16Array', 'Float32Array', 'Float64Array', 'WebAssembly']) delete globalThis[name];
  // What suites written for Node expect to be there, and find empty.
  const process = freeze({ env: freeze({}) });
  const said = (error) => {
    try {
      return text(error?.message ?? error);
    } catch {
      return 'an error without a message';
    }
  };
  return {
    refuse: (what) => { throw new Error(what); },
    process,
    run: async (call, request) => {
      try {
        const { output, context } = parse(request);
        const value = await call(output, context, process);
        const result = typeof value === 'number' && value - value !== 0 ? undefined : stringify(value);
        return result === undefined ? { state: 'threw', message: 'It returned ' + (typeof value === 'number' ? text(value) : typeof value) + ', which JSON cannot hold.' } : { state: 'returned', json: result };
      } catch (error) {
        return { state: 'threw', message: said(error) };
      }
    },
  };
})()`;

function newContext() {
  const context = vm.createContext(vm.constants.DONT_CONTEXTIFY, { codeGeneration: { strings: true, wasm: false } });
  return { context, tools: vm.runInContext(PRELUDE, context) };
}

const PARAMETERS = ['output', 'context', 'process'];

async function compile({ kind, source, exportName }, { context, tools }) {
  if (kind === 'body') return vm.compileFunction(source, PARAMETERS, { parsingContext: context });
  const exported = await namespaceOf(source, context, tools);
  const named = exportName === null ? (exported?.default ?? exported) : exported?.[exportName];
  const found = typeof named === 'object' && named !== null && typeof named.default === 'function' ? named.default : named;
  if (typeof found !== 'function')
    throw new Error(`The module has no function as ${exportName === null ? 'its default export' : `export "${exportName}"`}.`);
  return found;
}

/** A CommonJS module when it reads as one, else an ES module. Neither can load another. */
async function namespaceOf(source, context, tools) {
  let load;
  try {
    load = vm.compileFunction(source, ['module', 'exports', 'require', 'process'], { parsingContext: context });
  } catch (error) {
    if (!/import|export|await/i.test(error?.message ?? '')) throw error;
    const module = new vm.SourceTextModule(source, { context });
    await module.link((name) => tools.refuse(`"${name}" cannot be loaded: a script has the language, and no modules.`));
    await module.evaluate();
    return module.namespace;
  }
  const module = vm.runInContext('({ exports: {} })', context);
  const refuse = vm.runInContext(
    '(refuse) => (name) => refuse(`"${name}" cannot be loaded: a script has the language, and no modules.`)',
    context,
  )(tools.refuse);
  load(module, module.exports, refuse, tools.process);
  return module.exports;
}

async function answer(line) {
  const { id, script, input } = JSON.parse(line);
  let reply;
  try {
    const made = newContext();
    const call = await compile(script, made);
    reply = await made.tools.run(call, input);
  } catch (error) {
    let message = 'an error without a message';
    try {
      message = String(error?.message ?? error);
    } catch {}
    reply = { state: 'threw', message };
  }
  const { state, json, message } = reply;
  if (typeof json === 'string' && json.length > MAX_ANSWER_CHARACTERS)
    return { id, state: 'threw', message: `It returned ${json.length} characters; at most ${MAX_ANSWER_CHARACTERS} are taken.` };
  return state === 'returned' ? { id, state, json: String(json) } : { id, state: 'threw', message: String(message).slice(0, 2000) };
}

// A script that gets hold of this realm finds nothing that reaches beyond the process.
const { stdin, stdout } = process;
const exit = process.exit.bind(process);
for (const name of [
  'kill',
  '_kill',
  'binding',
  '_linkedBinding',
  'dlopen',
  'getBuiltinModule',
  '_debugProcess',
  '_debugEnd',
  '_startProfilerIdleNotifier',
  'report',
  'mainModule',
  'chdir',
  'setuid',
  'setgid',
  'seteuid',
  'setegid',
  'setgroups',
  'initgroups',
  'umask',
])
  Object.defineProperty(process, name, { value: undefined, writable: false, configurable: false });
for (const name of ['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest', 'require', 'module']) delete globalThis[name];
for (const prototype of [Object.prototype, Array.prototype, Function.prototype, Promise.prototype, String.prototype, RegExp.prototype])
  Object.freeze(prototype);
// Rejections that nobody waits for are the script's own.
process.on('unhandledRejection', () => undefined);

let rest = '';
let isBusy = false;
const waiting = [];
async function work() {
  if (isBusy) return;
  isBusy = true;
  for (let line = waiting.shift(); line !== undefined; line = waiting.shift()) stdout.write(`${JSON.stringify(await answer(line))}\n`);
  isBusy = false;
}
stdin.setEncoding('utf8');
stdin.on('data', (chunk) => {
  const lines = (rest + chunk).split('\n');
  rest = lines.pop() ?? '';
  waiting.push(...lines);
  void work();
});
stdin.on('end', () => exit(0));
stdout.write('{"ready":true}\n');
