import type { Scope } from '../kernel/scope.ts';
import type { FeatureSwitch } from './switch.ts';

/** Switches of features and their history. Of one feature at most one is open, also when writers race. */
export interface FeatureSwitchStore {
  /**
   * Puts a switch in force; the open one before it ends at that moment (or at its expiry, when that has passed).
   * @returns the switch that was in force until now, as it ended; null when there was none
   * @throws PlimsollError `conflict` when somebody else set one at the same moment
   */
  set(scope: Scope, next: FeatureSwitch): Promise<FeatureSwitch | null>;
  /** Ends the switch in force. @returns it as it ended; null when none was in force */
  end(
    scope: Scope,
    feature: string,
    end: { readonly atMs: number; readonly by: string; readonly reason: string | null },
  ): Promise<FeatureSwitch | null>;
  /** Closes switches whose expiry has passed, at their expiry. Of several callers one gets each. */
  endExpired(scope: Scope, nowMs: number): Promise<FeatureSwitch[]>;
  /** Every switch in force, by feature. */
  inForce(scope: Scope, nowMs: number): Promise<FeatureSwitch[]>;
  /** Newest first. */
  list(scope: Scope, feature: string, page: { readonly beforeId: string | null; readonly limit: number }): Promise<FeatureSwitch[]>;
}
