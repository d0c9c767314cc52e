import { type Command, commandHelp, parseCommandOptions } from '../kernel/commands.ts';
import { toPlimsollError } from '../kernel/errors.ts';
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
    const asked = rest.filter((word) => !word.startsWith('-')).join(' ');
    const group = COMMANDS.filter((entry) => entry.name.startsWith(`${rest[0]} `));
    if (words.includes('--version')) return output.print(VERSION, { version: VERSION });
    output.print(overview(group.length > 0 ? group : COMMANDS));
    if (asked !== '' && group.length === 0) {
      const close =
        nearest(
          asked,
          COMMANDS.map((entry) => entry.name),
        ) ??
        nearest(
          rest[0] ?? '',
          COMMANDS.map((entry) => entry.name.split(' ')[0] ?? ''),
        );
      output.note(`\nThere is no command "${asked}"${close ? `; did you mean "${close}"?` : '.'}`);
      process.exitCode = EXIT.usage;
    }
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
    const error = toPlimsollError(thrown);
    output.progress('');
    const cause = error.code === 'internal' && error.cause instanceof Error ? `\n${error.cause.stack}` : '';
    process.stderr.write(
      isJson
        ? `${JSON.stringify({ error: { code: error.code, message: error.message, fix: error.fix, details: error.details } })}\n`
        : `plimsoll ${found.name}: ${error.message}${cause}\n  → ${error.fix}\n`,
    );
    process.exitCode = exitCodeOf(error.code);
  }
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
