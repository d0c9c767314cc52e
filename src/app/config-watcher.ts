import { existsSync, type FSWatcher, readFileSync, renameSync, watch, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { type Clock, systemClock, type Timer } from '../kernel/clock.ts';
import { PlimsollError, toPlimsollError } from '../kernel/errors.ts';
import { type Config, readConfig } from './config.ts';
import { assertCompiles } from './config-compile-check.ts';

export interface ConfigWatcherOptions {
  readonly path: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Called after a good reload; the new configuration is in `current`. */
  readonly onChange: () => void;
  /** Why a configuration may not be put in force, beyond what its text shows; null = it may. */
  readonly refusal: (config: Config) => string | null;
  readonly onRefused: (error: PlimsollError) => void;
  /** Copy of the text in force, so that a control that crashes while the file is bad comes back with what it had. */
  readonly lastGoodPath: string;
  /** True when this control takes the place of one that served: only then a bad file is no reason not to start. */
  readonly isRestart: boolean;
}

/** Editors write in several steps: look when it has been quiet for this long. */
const SETTLE_MS = 150;

/** The configuration in force. A reload is all or nothing: a bad file leaves the old one and says why. */
export class ConfigWatcher {
  readonly #options: ConfigWatcherOptions;
  #text: string;
  #watcher: FSWatcher | null = null;
  #timer: Timer | null = null;
  current: Config;
  loadedAtMs: number;
  /** Why the newest file is not in force; null = it is. */
  error: string | null = null;

  /** @throws PlimsollError `config_invalid` */
  constructor(options: ConfigWatcherOptions) {
    this.#options = options;
    this.loadedAtMs = options.clock.nowMs();
    try {
      this.#text = readConfigFile(options.path);
      this.current = this.#parse(this.#text);
      this.#keepLastGood();
    } catch (thrown) {
      if (!options.isRestart || !existsSync(options.lastGoodPath)) throw thrown;
      this.#text = readFileSync(options.lastGoodPath, 'utf8');
      this.current = this.#parse(this.#text);
      this.error = toPlimsollError(thrown).message;
      options.onRefused(toPlimsollError(thrown));
    }
  }

  #parse(text: string): Config {
    const config = readConfig(text, this.#options.path, this.#options.variables);
    assertCompiles(config, text, this.#options.path, this.#options.variables);
    const refusal = this.#options.refusal(config);
    if (refusal !== null) throw new PlimsollError('config_invalid', refusal);
    return config;
  }

  #keepLastGood(): void {
    try {
      const temporary = `${this.#options.lastGoodPath}.${process.pid}`;
      writeFileSync(temporary, this.#text, { mode: 0o600 });
      renameSync(temporary, this.#options.lastGoodPath);
    } catch {
      // A full disk: the configuration is in force all the same.
    }
  }

  /** The file that `current` was read from. */
  get text(): string {
    return this.#text;
  }

  start(): void {
    // The folder, not the file: an editor that replaces the file would leave a watch on the old one.
    this.#watcher = watch(dirname(this.#options.path), { persistent: false }, (_event, name) => {
      if (name !== null && name !== basename(this.#options.path)) return;
      this.#timer?.cancel();
      this.#timer = systemClock.setTimer(SETTLE_MS, () => this.reload());
    });
    this.#watcher.on('error', () => this.#watcher?.close());
  }

  reload(): void {
    try {
      const text = readConfigFile(this.#options.path);
      if (text === this.#text && this.error === null) return;
      this.current = this.#parse(text);
      this.#text = text;
      this.#keepLastGood();
      this.loadedAtMs = this.#options.clock.nowMs();
      this.error = null;
      this.#options.onChange();
    } catch (thrown) {
      const error = toPlimsollError(thrown);
      this.error = error.message;
      this.#options.onRefused(error);
    }
  }

  /** A change that parsed well but could not be compiled. */
  refuse(message: string): void {
    this.error = message;
  }

  close(): void {
    this.#timer?.cancel();
    this.#watcher?.close();
  }
}

export function readConfigFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new PlimsollError(
      'config_invalid',
      isMissing
        ? `There is no configuration at ${path}; "plimsoll init" writes one, PLIMSOLL_CONFIG names another place`
        : `Cannot read ${path}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}
