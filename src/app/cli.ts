import { type Command, commandHelp, parseCommandOptions } from '../kernel/commands.ts';
import { PlimsollError, toPlimsollError } from '../kernel/errors.ts';
import { nearest } from '../kernel/suggest.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { COMMANDS } from './command-index.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { EXIT, exitCodeOf } from './process-messages.ts';
import { createTerminal } from './terminal.ts';
import { VERSION } from './version.ts';

/** What every command gets. */
export interface CliContext {
  readonly environment: Environment;
  readonly client: ApiClient;
}

/** Runs one command line and sets the exit code. */
export async function run(words: readonly string[]): Promise<void> {
  const isJson = words.includes('--json');
  const isHelp = words.includes('--help') || words.includes('-h');
  const rest = words.filter((word) => word !== '--json' && word !== '--help' && word !== '-h');
  const output = createTerminal(isJson);
  const found = COMMANDS.filter((entry) => entry.name.split(' ').every((part, index) => rest[index] === part)).sort(
    (a, b) => b.name.length - a.name.length,
  )[0];
  if (found === undefined) {
    if (words.includes('--version')) return output.print(VERSION, { version: VERSION });
    const asked = rest.filter((word) => !word.startsWith('-')).slice(0, 2);
    const group = COMMANDS.filter((entry) => entry.name.startsWith(`${asked[0]} `));
    if (asked.length > (group.length > 0 ? 1 : 0)) return refuseUnknown(asked.join(' '), isJson);
    const shown = group.length > 0 ? group : COMMANDS;
    output.print(overview(shown), { commands: shown.map(({ name, summary }) => ({ name, summary })) });
    return;
  }
  const command = (await found.load()).default as Command<CliContext>;
  if (isHelp) return output.print(commandHelp(command));
  const abort = new AbortController();
  if (found.name !== 'serve') process.once('SIGINT', () => abort.abort());
  try {
    const options = parseCommandOptions(command, rest.slice(found.name.split(' ').length));
    const environment = readEnvironment(process.env);
    process.exitCode =
      (await command.run({ options, output, signal: abort.signal, context: { environment, client: createApiClient(environment) } })) ??
      EXIT.ok;
  } catch (thrown) {
    output.progress('');
    const error = toPlimsollError(thrown);
    writeError(`plimsoll ${found.name}`, error, isJson);
    process.exitCode = exitCodeOf(error.code);
  }
}

/** Codes whose message already says what to do at a terminal; their `fix` speaks of requests. */
const SELF_EXPLAINING: ReadonlySet<string> = new Set(['invalid_argument', 'conflict', 'not_found']);

function writeError(prefix: string, error: PlimsollError, isJson: boolean): void {
  const cause = error.code === 'internal' && error.cause instanceof Error ? `\n${error.cause.stack}` : '';
  const fix = SELF_EXPLAINING.has(error.code) ? '' : `  → ${error.fix}\n`;
  process.stderr.write(
    isJson
      ? `${JSON.stringify({ error: { code: error.code, message: error.message, fix: error.fix, details: error.details } })}\n`
      : `${prefix}: ${error.message}${cause}\n${fix}`,
  );
}

function refuseUnknown(asked: string, isJson: boolean): void {
  const names = COMMANDS.map((entry) => entry.name);
  const groups = new Set(names.map((name) => name.split(' ', 1)[0] ?? ''));
  const [first = ''] = asked.split(' ');
  const close = nearest(asked, names) ?? nearest(first, names) ?? nearest(first, groups);
  const hint = close === null ? 'see: plimsoll --help' : `did you mean "${close}"? (see: plimsoll --help)`;
  writeError('plimsoll', new PlimsollError('invalid_argument', `There is no command "${asked}"; ${hint}`), isJson);
  process.exitCode = EXIT.usage;
}

function overview(entries: readonly { name: string; summary: string }[]): string {
  const width = Math.max(...entries.map((entry) => entry.name.length));
  return [
    'Plimsoll runs LLM features in production: gateway, traces, cost, evaluation, rollouts and on-call in one process tree.',
    '',
    'Usage: plimsoll <command> [options]        plimsoll <command> --help',
    '',
    ...entries.map((entry) => `  ${entry.name.padEnd(width)}  ${entry.summary}`),
    '',
    'Every command takes --json. Exit codes: 0 done, 1 failed, 64 wrong usage, 65 data newer than this version, 69 unavailable, 73 cannot write, 78 wrong configuration.',
  ].join('\n');
}
