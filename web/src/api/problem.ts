import type { Problem } from './schema.ts';

/** Why a request gave no data. `unreachable` = control did not answer at all, or a proxy answered in its place. */
export class ApiError extends Error {
  readonly kind: 'problem' | 'unreachable';
  readonly status: number;
  readonly code: string;
  readonly fix: string;

  constructor(kind: 'problem' | 'unreachable', problem: Problem, cause?: unknown) {
    super(problem.detail, cause === undefined ? undefined : { cause });
    this.name = 'ApiError';
    this.kind = kind;
    this.status = problem.status;
    this.code = problem.code;
    this.fix = problem.fix;
  }
}

export function unreachable(status: number, cause?: unknown): ApiError {
  return new ApiError(
    'unreachable',
    {
      title: 'control unreachable',
      detail: status === 0 ? 'Control does not answer.' : `Control does not answer (status ${status}).`,
      code: 'control_unreachable',
      fix: 'See whether `plimsoll serve` is running; it restarts control by itself. Calls to /v1 go on being served and are journaled.',
      status,
    },
    cause,
  );
}

/** Reads an error body; anything that is no problem document came from something between us and control. */
export function toApiError(status: number, body: unknown): ApiError {
  if (typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string') {
    const text = (name: string): string => (name in body ? String((body as Record<string, unknown>)[name] ?? '') : ''); // an object, checked above
    return new ApiError('problem', {
      title: text('title'),
      detail: text('detail') || text('title'),
      code: body.code,
      fix: text('fix'),
      status,
    });
  }
  return unreachable(status);
}

export function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  return unreachable(0, thrown);
}
