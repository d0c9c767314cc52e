import { useSyncExternalStore } from 'react';

/** Whether a media query matches now; renders again when that changes. */
export function useMediaQuery(query: string): boolean {
  return useSyncExternalStore(
    (notify) => {
      const list = matchMedia(query);
      list.addEventListener('change', notify);
      return () => list.removeEventListener('change', notify);
    },
    () => matchMedia(query).matches,
  );
}

/** Tailwind's `md`: below it tables become cards. */
export const useIsPhone = (): boolean => useMediaQuery('(max-width: 767px)');
