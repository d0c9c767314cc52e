// biome-ignore-all lint/a11y/useSemanticElements: a list of suggestions beside free text is no select
// biome-ignore-all lint/a11y/useFocusableInteractive: the focus stays in the field, which names the marked option
// biome-ignore-all lint/a11y/useKeyWithClickEvents: the keys are the field's
// biome-ignore-all lint/a11y/noStaticElementInteractions: the frame of the list only keeps the focus where it is
import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, type ReactNode, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import { asApiError } from '../api/problem.ts';
import type { fieldValuesQuery } from '../api/queries.ts';
import { formatCount } from '../format/number.ts';
import { nextOption } from './combobox-keys.ts';
import { useDebounced } from './debounced.ts';

interface ComboboxProps {
  readonly id: string;
  /** Of the form field. */
  readonly name: string;
  readonly initialText: string;
  /** Values that hold what was typed; nothing was typed yet = the most frequent ones. */
  readonly suggest: (typed: string) => ReturnType<typeof fieldValuesQuery>;
  readonly onText?: (text: string) => void;
  readonly isDisabled?: boolean;
}

const DEBOUNCE_MS = 150;
const GAP = 4;
const MARGIN = 8;
const MAX_HEIGHT = 264;
const MIN_WIDTH = 224;

/**
 * A text field with suggestions and how often each occurs. Any text may be entered. ↓ ↑ mark, Enter takes the marked one, Esc closes the list.
 * @see https://www.w3.org/WAI/ARIA/apg/patterns/combobox/ (list autocomplete, manual selection)
 */
export function Combobox({ id, name, initialText, suggest, onText, isDisabled = false }: ComboboxProps): ReactNode {
  const listId = useId();
  const fieldRef = useRef<HTMLInputElement>(null);
  const listRef = useRef<HTMLDivElement>(null);
  const [text, setText] = useState(initialText);
  const [typed, setTyped] = useState('');
  const [isOpen, setIsOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const wanted = useDebounced(typed, DEBOUNCE_MS);
  const found = useQuery({ ...suggest(wanted), enabled: isOpen });
  const options = found.data?.values ?? [];
  const marked = active < options.length ? active : -1;

  useLayoutEffect(() => {
    const list = listRef.current;
    if (!isOpen || !list) return;
    const place = (): void => {
      const field = fieldRef.current?.getBoundingClientRect();
      if (field) placeBeside(list, field);
    };
    list.showPopover();
    place();
    window.addEventListener('scroll', place, true);
    window.addEventListener('resize', place);
    return () => {
      window.removeEventListener('scroll', place, true);
      window.removeEventListener('resize', place);
      if (list.matches(':popover-open')) list.hidePopover();
    };
  }, [isOpen]);
  useEffect(() => {
    if (marked >= 0) listRef.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [marked]);

  const enter = (next: string): void => {
    setText(next);
    onText?.(next);
  };
  const close = (): void => {
    setIsOpen(false);
    setActive(-1);
    setTyped('');
  };
  const take = (value: string): void => {
    enter(value);
    close();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    const option = options[marked];
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (isOpen) setActive(nextOption(marked, options.length, event.key));
      else setIsOpen(true);
    } else if (event.key === 'Enter' && isOpen && option) {
      event.preventDefault();
      take(option.value);
    } else if (event.key === 'Escape' && isOpen) {
      event.preventDefault();
      close();
    }
  };
  return (
    <>
      <input
        ref={fieldRef}
        id={id}
        name={name}
        className="field w-full"
        role="combobox"
        aria-expanded={isOpen}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={marked >= 0 ? `${listId}-${marked}` : undefined}
        value={text}
        maxLength={512}
        autoComplete="off"
        spellCheck={false}
        disabled={isDisabled}
        onChange={(event) => {
          enter(event.target.value);
          setTyped(event.target.value);
          setActive(-1);
          setIsOpen(true);
        }}
        onClick={() => setIsOpen(true)}
        onKeyDown={onKeyDown}
        onBlur={close}
      />
      <div
        ref={listRef}
        popover="manual"
        className="fixed inset-auto m-0 overflow-y-auto overscroll-contain rounded-md border bg-raised p-1 text-ink shadow-float"
        style={{ maxHeight: MAX_HEIGHT }}
        // The field keeps the focus.
        onMouseDown={(event) => event.preventDefault()}
      >
        <div id={listId} role="listbox" aria-label="Suggestions" aria-busy={found.isFetching}>
          {options.map(({ value, count }, index) => (
            <div
              key={value}
              id={`${listId}-${index}`}
              role="option"
              aria-selected={index === marked}
              className="flex min-h-7 cursor-pointer items-center gap-3 rounded-sm px-2 py-0.5 hover:bg-hover aria-selected:bg-accent-soft"
              onClick={() => take(value)}
            >
              <bdi className="min-w-0 flex-1 truncate">{value}</bdi>
              <span className="tabular shrink-0 text-xs text-ink-3">{formatCount(count)}</span>
            </div>
          ))}
        </div>
        <p className="px-2 py-1 text-xs text-ink-3" role="status">
          {remark(found)}
        </p>
      </div>
    </>
  );
}

interface Found {
  readonly data: { readonly values: readonly unknown[]; readonly counted: 'requests' | 'newest_spans' } | undefined;
  readonly error: unknown;
}

function remark({ data, error }: Found): string {
  if (error) return asApiError(error).message;
  if (data === undefined) return 'Reading values…';
  if (data.values.length === 0) return 'No such value in this range; any text may be entered.';
  return data.counted === 'requests' ? 'Requests in the days of this range' : 'Counted in the newest 20,000 spans of this range';
}

/** Under the field, or over it where there is more room. */
function placeBeside(list: HTMLElement, field: DOMRect): void {
  const width = Math.min(Math.max(field.width, MIN_WIDTH), innerWidth - 2 * MARGIN);
  list.style.width = `${width}px`;
  list.style.left = `${Math.max(MARGIN, Math.min(field.left, innerWidth - width - MARGIN))}px`;
  const below = innerHeight - field.bottom - GAP - MARGIN;
  const above = field.top - GAP - MARGIN;
  const isBelow = below >= Math.min(MAX_HEIGHT, above);
  list.style.maxHeight = `${Math.min(MAX_HEIGHT, isBelow ? below : above)}px`;
  list.style.top = isBelow ? `${field.bottom + GAP}px` : 'auto';
  list.style.bottom = isBelow ? 'auto' : `${innerHeight - field.top + GAP}px`;
}
