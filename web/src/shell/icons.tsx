import type { ReactNode } from 'react';

const PATHS = {
  overview: 'M2 13.5h12M4 11V7.5M8 11V3.5M12 11V6',
  traces: 'M2 3.5h7M4 8h8M8 12.5h6',
  sessions: 'M2 3h9v6H6.5L4 11V9H2ZM7.5 11.2h3.7l2.3 1.8v-1.8H14V6',
  users:
    'M6 7.6a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6ZM1.8 13c.3-2.4 1.9-3.6 4.2-3.6s3.9 1.2 4.2 3.6M10.6 3.2a2.2 2.2 0 0 1 0 4.2M11.6 9.7c1.5.4 2.4 1.5 2.6 3.3',
  features: 'M8 3.2a4.8 4.8 0 1 0 0 9.6 4.8 4.8 0 0 0 0-9.6ZM.8 8h14.4',
  providers: 'M2.5 3h11v4h-11ZM2.5 9h11v4h-11ZM5 5h.01M5 11h.01',
  routes: 'M2 8h4l4-4.5h4M6 8l4 4.5h4M12 1.5l2 2-2 2M12 10.5l2 2-2 2',
  cache:
    'M2.5 4c0-1.1 2.5-2 5.5-2s5.5.9 5.5 2-2.5 2-5.5 2-5.5-.9-5.5-2Zm0 0v8c0 1.1 2.5 2 5.5 2s5.5-.9 5.5-2V4M2.5 8c0 1.1 2.5 2 5.5 2s5.5-.9 5.5-2',
  costs: 'M8 1.5v13M11.2 4.4c-.6-.9-1.8-1.4-3.2-1.4-1.8 0-3.2.9-3.2 2.4 0 3.4 6.6 1.6 6.6 5 0 1.6-1.5 2.6-3.4 2.6-1.5 0-2.8-.6-3.4-1.6',
  limits: 'M2 12.5a6 6 0 1 1 12 0M8 12.5l3-4.5',
  more: 'M3 7.2a.8.8 0 1 0 0 1.6.8.8 0 0 0 0-1.6ZM8 7.2a.8.8 0 1 0 0 1.6.8.8 0 0 0 0-1.6ZM13 7.2a.8.8 0 1 0 0 1.6.8.8 0 0 0 0-1.6Z',
  datasets: 'M2.5 2.5h11v3h-11ZM2.5 6.7h11v3h-11ZM2.5 10.9h11v3h-11ZM4.7 4h.01M4.7 8.2h.01M4.7 12.4h.01',
  sql: 'M2 3h12v10H2ZM4.5 6l2 2-2 2M8 10h3',
  keys: 'M5.2 7.8a2.9 2.9 0 1 0 0 5.8 2.9 2.9 0 0 0 0-5.8Zm2.1 .8L13.4 2.5M11 5l2 2M13.4 2.5l1 1',
  system: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM8 2.5v11',
  light:
    'M8 5.3a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4ZM8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3.1 3.1l1.1 1.1M11.8 11.8l1.1 1.1M3.1 12.9l1.1-1.1M11.8 4.2l1.1-1.1',
  dark: 'M13.3 9.7A5.7 5.7 0 0 1 6.3 2.7a5.7 5.7 0 1 0 7 7Z',
  menu: 'M2 4h12M2 8h12M2 12h12',
  close: 'M4 4l8 8M12 4l-8 8',
  logout: 'M6.5 2.5H3v11h3.5M7 8h7M11 5l3 3-3 3',
  chevron: 'M6 4l4 4-4 4',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, className = 'size-4' }: { name: IconName; className?: string }): ReactNode {
  return (
    <svg
      viewBox="0 0 16 16"
      className={`${className} shrink-0`}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.3"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
