import { createContext, type ReactNode, use, useCallback, useEffect, useMemo, useState } from 'react';
import type { TimeZone } from '../format/time.ts';

export type Theme = 'system' | 'light' | 'dark';
export const REFRESH_SECONDS = [0, 5, 30] as const;
export type RefreshSeconds = (typeof REFRESH_SECONDS)[number];

interface Preferences {
  readonly theme: Theme;
  readonly zone: TimeZone;
  /** 0 = off. */
  readonly refreshSeconds: RefreshSeconds;
}
interface PreferencesContext extends Preferences {
  readonly set: (change: Partial<Preferences>) => void;
}

const DEFAULTS: Preferences = { theme: 'system', zone: 'local', refreshSeconds: 30 };
const Context = createContext<PreferencesContext>({ ...DEFAULTS, set: () => {} });

/** Values of earlier visits; anything unknown, or a browser without storage, gives the default. */
function stored<K extends keyof Preferences>(name: K, allowed: readonly Preferences[K][]): Preferences[K] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(`plimsoll.${name}`) ?? 'null');
    return allowed.find((each) => each === value) ?? DEFAULTS[name];
  } catch {
    return DEFAULTS[name];
  }
}

export function PreferencesProvider({ children }: { children: ReactNode }): ReactNode {
  const [preferences, setPreferences] = useState<Preferences>(() => ({
    theme: stored('theme', ['system', 'light', 'dark']),
    zone: stored('zone', ['local', 'utc']),
    refreshSeconds: stored('refreshSeconds', REFRESH_SECONDS),
  }));
  const set = useCallback((change: Partial<Preferences>) => {
    setPreferences((current) => ({ ...current, ...change }));
    try {
      for (const [name, value] of Object.entries(change)) localStorage.setItem(`plimsoll.${name}`, JSON.stringify(value));
    } catch {
      // Storage is off: the choice lasts until the page is closed.
    }
  }, []);
  useEffect(() => {
    if (preferences.theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = preferences.theme;
  }, [preferences.theme]);
  const value = useMemo(() => ({ ...preferences, set }), [preferences, set]);
  return <Context value={value}>{children}</Context>;
}

export function usePreferences(): PreferencesContext {
  return use(Context);
}
