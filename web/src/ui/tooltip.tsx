import { type ReactNode, useEffect, useRef, useState } from 'react';

interface Shown {
  readonly text: string;
  readonly anchor: DOMRect;
}

const DELAY_MS = 250;

/** One layer for every element with `data-tip`: a virtual list of thousands of cells needs no component and no listener per cell. */
export function TooltipLayer(): ReactNode {
  const [shown, setShown] = useState<Shown | null>(null);
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let timer = 0;
    let current: Element | null = null;
    const hide = (): void => {
      window.clearTimeout(timer);
      current = null;
      setShown(null);
    };
    const show = (event: Event, delayMs: number): void => {
      const target = event.target instanceof Element ? event.target.closest('[data-tip]') : null;
      if (target === current) return;
      hide();
      const text = target?.getAttribute('data-tip');
      if (!target || !text) return;
      current = target;
      timer = window.setTimeout(() => target.isConnected && setShown({ text, anchor: target.getBoundingClientRect() }), delayMs);
    };
    const over = (event: PointerEvent): void => {
      if (event.pointerType === 'mouse') show(event, DELAY_MS);
    };
    const focus = (event: FocusEvent): void => {
      if (event.target instanceof Element && event.target.matches(':focus-visible')) show(event, 0);
    };
    const key = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') hide();
    };
    const listeners = [
      ['pointerover', over],
      ['focusin', focus],
      ['focusout', hide],
      ['pointerdown', hide],
      ['scroll', hide],
      ['keydown', key],
    ] as const;
    for (const [name, listener] of listeners) document.addEventListener(name, listener as EventListener, true);
    return () => {
      hide();
      for (const [name, listener] of listeners) document.removeEventListener(name, listener as EventListener, true);
    };
  }, []);
  useEffect(() => {
    const layer = ref.current;
    if (!layer || !shown) return;
    layer.showPopover();
    const { offsetWidth: width, offsetHeight: height } = layer;
    const { anchor } = shown;
    layer.style.left = `${Math.max(8, Math.min(anchor.left + anchor.width / 2 - width / 2, innerWidth - width - 8))}px`;
    layer.style.top = `${anchor.top - height - 6 < 8 ? anchor.bottom + 6 : anchor.top - height - 6}px`;
    return () => layer.hidePopover();
  }, [shown]);
  return (
    <div
      ref={ref}
      role="tooltip"
      popover="manual"
      className="pointer-events-none fixed inset-auto m-0 max-w-80 rounded-md border-0 bg-ink px-2 py-1 text-xs break-words text-surface shadow-float"
    >
      {shown?.text}
    </div>
  );
}
