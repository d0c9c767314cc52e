import { type ReactNode, useEffect } from 'react';

/** Title of the page and what acts on all of it. */
export function PageHeader({ title, children }: { title: string; children?: ReactNode }): ReactNode {
  useTitle(title);
  return (
    <div className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-2 md:min-h-[30px]">
      <h1 className="mr-auto text-lg font-semibold tracking-tight">{title}</h1>
      {children}
    </div>
  );
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Plimsoll`;
  }, [title]);
}
