import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Browsers that know `light-dark()`, `<dialog>` and `popover`; older ones get no second bundle. */
const TARGET = ['chrome125', 'firefox125', 'safari17.5'];

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: {
    target: TARGET,
    cssTarget: TARGET,
    // Inlined data: URLs would need a wider CSP than `img-src 'self' data:` for fonts and scripts.
    assetsInlineLimit: 0,
    manifest: true,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: Object.fromEntries(['/api', '/v1'].map((path) => [path, process.env.PLIMSOLL_URL ?? 'http://127.0.0.1:4000'])),
  },
});
