import { z } from 'zod';
import { PlimsollError } from '../errors.ts';

/**
 * A secret in plimsoll.yaml: `${NAME}`, the name of an environment variable. Only fields made with this function may hold `${…}`.
 * The value stays the reference; each process resolves it from its own environment, so snapshots name secrets and never hold them.
 */
export function secretText(description: string) {
  return z.string().min(1).max(4096).describe(description).meta({ description, secret: true });
}

const REFERENCE = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;

/** @returns the variable's name, or null when the text is the secret itself (allowed for values that are none, such as a simulated provider's key) */
export function secretEnvironmentName(text: string): string | null {
  return REFERENCE.exec(text)?.[1] ?? null;
}

/**
 * @param environment the process's own variables
 * @throws PlimsollError `config_invalid` when the variable is not set or empty
 */
export function resolveSecretText(text: string, environment: Readonly<Record<string, string | undefined>>): string {
  const name = secretEnvironmentName(text);
  if (name === null) return text;
  const value = environment[name];
  if (!value) throw new PlimsollError('config_invalid', `The environment variable ${name} is not set`, { details: { variable: name } });
  return value;
}
