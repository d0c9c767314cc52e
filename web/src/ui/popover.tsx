import { type ReactNode, useId, useRef, useState } from 'react';

interface PopoverProps {
  readonly label: ReactNode;
  readonly buttonClass?: string;
  readonly align?: 'start' | 'end';
  /** `close` hides the popover again. The content mounts when it opens. */
  readonly children: (close: () => void) => ReactNode;
}

const GAP = 5;
const MARGIN = 8;

/** A button and what it opens, on the browser's popover: light dismiss, Esc and top layer come with it. */
export function Popover({ label, buttonClass = 'button', align = 'start', children }: PopoverProps): ReactNode {
  const id = useId();
  const buttonRef = useRef<HTMLButtonElement>(null);
  const popoverRef = useRef<HTMLDivElement>(null);
  const [isOpen, setIsOpen] = useState(false);
  const place = (): void => {
    const popover = popoverRef.current;
    const anchor = buttonRef.current?.getBoundingClientRect();
    if (!popover || !anchor) return;
    const { offsetWidth: width, offsetHeight: height } = popover;
    const wantedLeft = align === 'start' ? anchor.left : anchor.right - width;
    popover.style.left = `${Math.max(MARGIN, Math.min(wantedLeft, innerWidth - width - MARGIN))}px`;
    const fitsBelow = anchor.bottom + GAP + height + MARGIN <= innerHeight;
    popover.style.top = `${fitsBelow ? anchor.bottom + GAP : Math.max(MARGIN, anchor.top - GAP - height)}px`;
  };
  return (
    <>
      <button ref={buttonRef} type="button" className={buttonClass} popoverTarget={id} aria-expanded={isOpen} aria-haspopup="dialog">
        {label}
      </button>
      <div
        ref={popoverRef}
        id={id}
        popover="auto"
        className="fixed inset-auto m-0 max-h-[calc(100dvh-16px)] max-w-[calc(100vw-16px)] overflow-y-auto rounded-lg border bg-raised p-3 text-ink shadow-float"
        onToggle={(event) => {
          setIsOpen(event.newState === 'open');
          if (event.newState === 'open') requestAnimationFrame(place);
        }}
      >
        {isOpen && children(() => popoverRef.current?.hidePopover())}
      </div>
    </>
  );
}
