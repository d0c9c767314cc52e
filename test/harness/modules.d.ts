declare module '*/web/dev/browser.mjs' {
  import type { BrowserContext, Page } from 'playwright-core';
  export function openBrowser(options: {
    width: number;
    height: number;
    theme: 'light' | 'dark';
  }): Promise<{ context: BrowserContext; close(): Promise<void> }>;
  export function watchPage(page: Page, problems: string[], isExpected?: (text: string) => boolean): void;
  export function overflowOf(page: Page): Promise<number>;
}
declare module '*/scripts/build-web.mjs' {
  export function buildWeb(): Promise<boolean>;
}
