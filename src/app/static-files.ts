import { existsSync, globSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { contentHash } from '../kernel/ids.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** What a model wrote is shown on these pages: nothing but our own files may run, load or frame. */
export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

interface StaticFile {
  readonly plain: Buffer;
  readonly gzip: Buffer | null;
  readonly brotli: Buffer | null;
  readonly type: string;
  readonly etag: string;
  readonly isImmutable: boolean;
}

/** The built dashboard, held in memory: a path is a map look-up, so nothing outside the folder can be named. */
export class StaticFiles {
  readonly #files = new Map<string, StaticFile>();

  constructor(directory: string) {
    if (!existsSync(directory)) return;
    for (const entry of globSync('**/*', { cwd: directory, withFileTypes: true })) {
      if (!entry.isFile() || entry.name.startsWith('.')) continue;
      const path = join(entry.parentPath, entry.name);
      const plain = readFileSync(path);
      const isText = !['.png', '.ico', '.woff2'].includes(extname(path));
      this.#files.set(path.slice(directory.length).split(sep).join('/'), {
        plain,
        gzip: isText && plain.length > 512 ? gzipSync(plain, { level: 9 }) : null,
        brotli: isText && plain.length > 512 ? brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }) : null,
        type: TYPES[extname(path)] ?? 'application/octet-stream',
        etag: `"${contentHash(plain).slice(0, 32)}"`,
        // Vite puts a hash of the content into these names.
        isImmutable: path.includes(`${sep}assets${sep}`),
      });
    }
  }

  get isBuilt(): boolean {
    return this.#files.has('/index.html');
  }

  /** Serves a file, or the page for any other path: the dashboard's own routes. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader('content-security-policy', CONTENT_SECURITY_POLICY);
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('referrer-policy', 'no-referrer');
    response.setHeader('cross-origin-opener-policy', 'same-origin');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      answerText(response, 405, 'Only GET and HEAD are answered here.', { allow: 'GET, HEAD' });
      return;
    }
    const path = (request.url ?? '/').split(/[?#]/, 1)[0] ?? '/';
    const file = this.#files.get(path) ?? (isPagePath(path) ? this.#files.get('/index.html') : undefined);
    if (file === undefined) {
      if (this.isBuilt) answerText(response, 404, `There is no file ${path}.`);
      else
        answerText(
          response,
          503,
          'The dashboard is not built. Run "npm run prepare" in the Plimsoll folder and start again. The API and /v1 work without it.',
        );
      return;
    }
    response.setHeader('etag', file.etag);
    response.setHeader('cache-control', file.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache');
    if (request.headers['if-none-match'] === file.etag) {
      response.writeHead(304);
      response.end();
      return;
    }
    const accepted = String(request.headers['accept-encoding'] ?? '');
    const encoding = file.brotli && /\bbr\b/.test(accepted) ? 'br' : file.gzip && /\bgzip\b/.test(accepted) ? 'gzip' : null;
    const body = (encoding === 'br' ? file.brotli : encoding === 'gzip' ? file.gzip : null) ?? file.plain;
    response.writeHead(200, {
      'content-type': file.type,
      'content-length': body.length,
      vary: 'accept-encoding',
      ...(encoding ? { 'content-encoding': encoding } : {}),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }
}

/** A name may hold a dot (`/features/gpt-4.1`): only paths that look like our files are not pages. */
function isPagePath(path: string): boolean {
  return !path.startsWith('/assets/') && TYPES[extname(path)] === undefined;
}

function answerText(response: ServerResponse, status: number, text: string, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...headers });
  response.end(`${text}\n`);
}
