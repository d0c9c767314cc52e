import type { ModelProfile } from './config.ts';
import { type FaultRule, ruleOf } from './fault-board.ts';

/** A model as it answers now. */
export interface ServedModel {
  readonly name: string;
  readonly profile: ModelProfile;
  /** Its own faults, read once. */
  readonly rules: readonly FaultRule[];
  /** True when it is not what the configuration says. */
  readonly isChanged: boolean;
}

function served(name: string, profile: ModelProfile, isChanged: boolean): ServedModel {
  return { name, profile, rules: profile.faults.map(ruleOf), isChanged };
}

/** The simulated models. A model can be changed under its name while it serves, as providers do. */
export class ModelBoard {
  readonly #configured: Readonly<Record<string, ModelProfile>>;
  readonly #models: Map<string, ServedModel>;

  constructor(configured: Readonly<Record<string, ModelProfile>>) {
    this.#configured = configured;
    this.#models = new Map(Object.entries(configured).map(([name, profile]) => [name, served(name, profile, false)]));
  }

  list(): readonly ServedModel[] {
    return [...this.#models.values()];
  }

  get(name: string): ServedModel | null {
    return this.#models.get(name) ?? null;
  }

  /** Lays values over what the model is now. @returns null when there is no such model */
  change(name: string, values: Partial<ModelProfile>): ServedModel | null {
    const current = this.#models.get(name);
    if (current === undefined) return null;
    const changed = served(name, { ...current.profile, ...values }, true);
    this.#models.set(name, changed);
    return changed;
  }

  /** Makes the model what the configuration says. @returns null when there is no such model */
  restore(name: string): ServedModel | null {
    const profile = Object.hasOwn(this.#configured, name) ? this.#configured[name] : undefined;
    if (profile === undefined) return null;
    const restored = served(name, profile, false);
    this.#models.set(name, restored);
    return restored;
  }
}
