import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { api, unwrap } from '../api/client.ts';
import { asApiError } from '../api/problem.ts';
import { statusQuery } from '../api/queries.ts';
import { zoneName } from '../format/time.ts';
import { SimulatedBadge } from '../ui/badges.tsx';
import { PlimsollMark } from '../ui/plimsoll-mark.tsx';
import { Popover } from '../ui/popover.tsx';
import { Prose } from '../ui/prose.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { HelpDialog } from './help-dialog.tsx';
import { Icon, type IconName } from './icons.tsx';
import { useKeyboard } from './keyboard.ts';
import { type Notice, noticesOf } from './notices.ts';
import { type Theme, usePreferences } from './preferences.tsx';

const PAGES = [
  { path: '/', name: 'Overview', icon: 'overview' },
  { path: '/traces', name: 'Traces', icon: 'traces' },
  { path: '/features', name: 'Features', icon: 'features' },
  { path: '/sessions', name: 'Sessions', icon: 'sessions' },
  { path: '/users', name: 'Users', icon: 'users' },
  { path: '/providers', name: 'Providers', icon: 'providers' },
  { path: '/routes', name: 'Routes', icon: 'routes' },
  { path: '/costs', name: 'Costs', icon: 'costs' },
  { path: '/limits', name: 'Limits', icon: 'limits' },
  { path: '/cache', name: 'Cache', icon: 'cache' },
  { path: '/datasets', name: 'Datasets', icon: 'datasets' },
  { path: '/sql', name: 'SQL', icon: 'sql' },
  { path: '/keys', name: 'Keys', icon: 'keys' },
] as const satisfies readonly { path: string; name: string; icon: IconName }[];
/** Those that fit at the foot of a phone; the others are behind "More" there. */
const PHONE_PAGES = 4;

export function Shell(): ReactNode {
  const navigate = useNavigate();
  const [isHelpOpen, setIsHelpOpen] = useState(false);
  useKeyboard({ go: (path) => void navigate({ to: path }), help: () => setIsHelpOpen(true) });
  const status = useQuery(statusQuery);
  const notices = noticesOf(status.data, status.error ? asApiError(status.error) : null);
  return (
    <div className="flex min-h-dvh flex-col md:flex-row">
      <a href="#main" className="button fixed top-2 left-2 z-50 -translate-y-16 focus:translate-y-0">
        Skip to content
      </a>
      <header className="sticky top-0 print:hidden z-20 shrink-0 border-b bg-surface md:static md:w-48 md:border-r md:border-b-0">
        <div className="flex h-12 items-center gap-2 px-4 md:sticky md:top-0 md:h-dvh md:flex-col md:items-stretch md:gap-0 md:px-3 md:py-4">
          <Link to="/" className="flex items-center gap-2.5 rounded-sm md:px-2">
            <PlimsollMark className="size-6 text-accent" />
            <span className="text-base font-semibold tracking-tight">Plimsoll</span>
          </Link>
          <nav
            aria-label="Pages"
            className="fixed inset-x-0 bottom-0 z-20 grid grid-cols-5 border-t bg-surface pb-[env(safe-area-inset-bottom)] md:static md:mt-5 md:grid-cols-1 md:gap-0.5 md:border-0 md:pb-0"
          >
            {PAGES.map(({ path, name, icon }, index) => (
              <Link
                key={path}
                to={path}
                activeOptions={{ exact: path === '/', includeSearch: false }}
                className={`${index < PHONE_PAGES ? 'flex' : 'hidden md:flex'} h-13 flex-col items-center justify-center gap-0.5 text-2xs text-ink-2 hover:bg-hover md:h-8 md:flex-row md:justify-start md:gap-2.5 md:rounded-md md:px-2 md:text-sm`}
                activeProps={{ className: 'font-semibold text-ink! md:bg-sunken' }}
              >
                <Icon name={icon} />
                {name}
              </Link>
            ))}
            <div className="contents md:hidden">
              <MorePages />
            </div>
          </nav>
          <div className="ml-auto md:mt-auto md:ml-0">
            <div className="hidden md:block">
              <Controls onHelp={() => setIsHelpOpen(true)} />
            </div>
            <div className="flex items-center gap-2 md:hidden">
              {status.data?.isSimulatedOnly && <SimulatedBadge />}
              <Popover label={<MenuLabel />} buttonClass="button button-quiet" align="end">
                {(close) => (
                  <div className="w-52">
                    <Controls
                      onHelp={() => {
                        close();
                        setIsHelpOpen(true);
                      }}
                    />
                  </div>
                )}
              </Popover>
            </div>
          </div>
        </div>
      </header>
      <div className="flex min-w-0 flex-1 flex-col pb-13 md:pb-0">
        {notices.length > 0 && <Notices notices={notices} />}
        <main id="main" className="mx-auto flex w-full max-w-[1680px] min-w-0 flex-1 flex-col px-3 py-3 md:px-5 md:py-4" tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      {isHelpOpen && <HelpDialog onClose={() => setIsHelpOpen(false)} />}
    </div>
  );
}

function MorePages(): ReactNode {
  const label = (
    <>
      <Icon name="more" />
      More
    </>
  );
  return (
    <Popover
      label={label}
      align="end"
      buttonClass="flex h-13 flex-col items-center justify-center gap-0.5 text-2xs text-ink-2 hover:bg-hover"
    >
      {(close) => (
        <ul className="w-40">
          {PAGES.slice(PHONE_PAGES).map(({ path, name, icon }) => (
            <li key={path}>
              <Link
                to={path}
                className="flex h-11 items-center gap-2.5 rounded-md px-2 text-ink-2"
                activeOptions={{ includeSearch: false }}
                activeProps={{ className: 'font-semibold text-ink! bg-sunken' }}
                onClick={close}
              >
                <Icon name={icon} />
                {name}
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Popover>
  );
}

function MenuLabel(): ReactNode {
  return (
    <>
      <Icon name="menu" />
      <span className="sr-only">Settings and status</span>
    </>
  );
}

function Notices({ notices }: { notices: readonly Notice[] }): ReactNode {
  return (
    <ul aria-label="System notices" className="print:hidden divide-y border-b" role="status">
      {notices.map((notice) => (
        <li key={notice.title} className={`px-4 py-2 md:px-5 ${notice.state === 'critical' ? 'bg-critical-soft' : 'bg-warning-soft'}`}>
          <span className="mr-2 font-semibold">
            <StateMark state={notice.state} word={notice.title} />
          </span>
          <span className="break-words">
            <Prose text={notice.detail} />
          </span>{' '}
          <span className="text-ink-2">
            <Prose text={notice.action} />
          </span>
        </li>
      ))}
    </ul>
  );
}

const THEMES = [
  ['system', 'Theme of the system'],
  ['light', 'Light theme'],
  ['dark', 'Dark theme'],
] as const satisfies readonly [Theme, string][];

function Controls({ onHelp }: { onHelp: () => void }): ReactNode {
  const { theme, zone, set } = usePreferences();
  const status = useQuery(statusQuery);
  const isUnreachable = status.error !== null;
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const logout = useMutation({
    mutationFn: () => unwrap<void>(api.DELETE('/api/v1/sessions/current')),
    onSuccess: async () => {
      await navigate({ to: '/login' });
      queryClient.clear();
    },
  });
  const notices = noticesOf(status.data, status.error ? asApiError(status.error) : null);
  const worst = notices[0]?.state;
  return (
    <div className="flex flex-col gap-2.5 text-xs">
      <div className="flex min-h-[42px] flex-col gap-1 px-2 text-ink-3">
        {isUnreachable || status.data ? (
          <>
            <StateMark state={worst ?? 'ok'} word={worst === undefined ? 'All systems OK' : worst === 'warning' ? 'Warning' : 'Critical'} />
            {status.data && (
              <span className="flex items-center gap-1.5 whitespace-nowrap">
                <span className="truncate" data-tip={`Plimsoll ${status.data.version}, environment ${status.data.environment}`}>
                  {status.data.environment}
                </span>
                {status.data.isSimulatedOnly ? <SimulatedBadge /> : <span>v{status.data.version}</span>}
              </span>
            )}
          </>
        ) : (
          <StateMark state="neutral" word="Reading the status…" />
        )}
      </div>
      <button
        type="button"
        className="flex h-7 items-center gap-1.5 rounded-md px-2 text-left text-ink-2 hover:bg-hover"
        onClick={() => set({ zone: zone === 'utc' ? 'local' : 'utc' })}
        data-tip={`Times are in ${zoneName(zone)}. Switch to ${zone === 'utc' ? zoneName('local') : 'UTC'}.`}
      >
        <span className="text-ink-3">Times</span>
        <span className="truncate">{zone === 'utc' ? 'UTC' : `local · ${zoneName('local')}`}</span>
      </button>
      <div className="flex items-center gap-1 px-1">
        <fieldset className="flex rounded-md border">
          <legend className="sr-only">Theme</legend>
          {THEMES.map(([name, label]) => (
            <button
              key={name}
              type="button"
              aria-pressed={theme === name}
              aria-label={label}
              data-tip={label}
              className="flex h-6 w-8 items-center justify-center rounded-[4px] text-ink-3 hover:text-ink aria-pressed:bg-sunken aria-pressed:text-ink"
              onClick={() => set({ theme: name })}
            >
              <Icon name={name} className="size-3.5" />
            </button>
          ))}
        </fieldset>
        <button
          type="button"
          className="ml-auto flex size-[26px] items-center justify-center rounded-md border text-ink-2 hover:bg-hover"
          onClick={onHelp}
          aria-label="Keyboard help"
          data-tip="Keyboard help (?)"
        >
          ?
        </button>
        <button
          type="button"
          className="flex size-[26px] items-center justify-center rounded-md border text-ink-2 hover:bg-hover"
          disabled={logout.isPending}
          onClick={() => logout.mutate()}
          aria-label="Log out"
          data-tip="Log out"
        >
          <Icon name="logout" className="size-3.5" />
        </button>
      </div>
    </div>
  );
}
