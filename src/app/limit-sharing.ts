import { Admission } from '../gateway/admission/admission.ts';
import type { AdmissionHistory } from '../gateway/admission/history.ts';
import type { LeaseHolder, LeaseSource } from '../gateway/admission/lease-source.ts';
import { shareLimits } from '../gateway/admission/share-limits.ts';
import type { Gateway } from '../gateway/server.ts';
import type { Snapshot } from '../gateway/snapshot.ts';
import { newUuidV7 } from '../kernel/ids.ts';
import { openRedisLeaseSource } from '../stores/redis/lease-source.ts';
import type { ChildContext } from './child-process.ts';
import type { DataDirectory } from './data-directory.ts';
import { historyAfterCrash, recoverRun } from './journal-recovery.ts';
import { supervisorLeaseSource } from './supervisor-lease-source.ts';

interface Closable {
  close(): Promise<void>;
}

/** Decides with whom a gateway keeps its limits: with nobody, with the other workers of its machine, or with all that know one Redis. */
export class LimitSharing {
  readonly #context: ChildContext;
  readonly #data: DataDirectory;
  readonly #writer: string;
  readonly #gateway: Pick<Gateway, 'shareLimits'>;
  /** By writer: this one, and those that it speaks for. */
  readonly #shared = new Map<string, Closable>();
  #driver: 'machine' | 'redis' | null = null;
  #hasWarned = false;
  readonly #startedAtMs = Date.now();

  constructor(context: ChildContext, data: DataDirectory, writer: string, gateway: Pick<Gateway, 'shareLimits'>) {
    this.#context = context;
    this.#data = data;
    this.#writer = writer;
    this.#gateway = gateway;
  }

  /** Follows the configuration. What has begun to be shared stays shared as it is until the process ends. */
  follow(snapshot: Snapshot): void {
    const { environment, log } = this.#context;
    const { driver = 'machine', onUnavailable = 'fail-closed', replicas = 1 } = snapshot.limitSharing ?? {};
    const url = driver === 'redis' ? environment.redisUrl : null;
    if (driver === 'redis' && url === null)
      this.#warn('limitSharing.driver is redis and PLIMSOLL_REDIS_URL is not set: only the workers of this machine share');
    const workers = snapshot.limits.workers ?? 1;
    const silent = this.#silentWriters(workers);
    for (const [writer, shared] of this.#shared) {
      if (writer === this.#writer || silent.includes(writer)) continue;
      // It is run again and speaks for itself.
      this.#shared.delete(writer);
      void shared.close();
    }
    const wanted = url !== null ? 'redis' : workers > 1 || silent.length > 0 ? 'machine' : null;
    if (this.#driver === null && wanted !== null) {
      this.#driver = wanted;
      this.#shared.set(
        this.#writer,
        this.#gateway.shareLimits(this.#open(this.#writer), {
          replicas: wanted === 'redis' && onUnavailable === 'local-share' ? replicas : null,
          onState: (isReachable, reason) =>
            log(isReachable ? 'info' : 'error', isReachable ? 'limits_shared' : 'limits_not_shared', {
              with: wanted,
              reason,
              onUnavailable,
            }),
        }),
      );
    } else if (this.#driver === 'machine' && wanted === 'redis') this.#warn('limits are shared through Redis after a restart');
    for (const writer of silent) this.#speakFor(writer, snapshot);
  }

  #open(writer: string): LeaseSource {
    const incarnation = newUuidV7(Date.now());
    const { redisUrl } = this.#context.environment;
    if (this.#driver !== 'redis' || redisUrl === null) return supervisorLeaseSource(this.#context, { writer, incarnation });
    const instance = this.#data.instanceName();
    // In Redis the workers of many machines meet.
    const holder: LeaseHolder = { writer: writer.startsWith(instance) ? writer : `${instance}-${writer}`, incarnation };
    return openRedisLeaseSource({ url: redisUrl, holder });
  }

  /** Workers of earlier runs that the configuration has taken away: what they used may still count. The first worker speaks for them. */
  #silentWriters(workers: number): string[] {
    const found = /^(.*gateway-)(\d+)$/.exec(this.#writer);
    if (found === null || found[2] !== '1') return [];
    const prefix = found[1] ?? '';
    return this.#data.gatewayWriters(prefix, this.#startedAtMs).filter((writer) => Number(writer.slice(prefix.length)) > workers);
  }

  /** Tells what is in the journal of a worker that is not run, as if it stood idle beside the others. */
  #speakFor(writer: string, snapshot: Snapshot): void {
    if (this.#shared.has(writer)) return;
    const { clock, log } = this.#context;
    const share = (history: AdmissionHistory | null): Closable => {
      const admission = new Admission({ clock, onReached: () => {}, onExceeded: () => {} });
      if (history !== null) admission.continue(history);
      admission.adopt(snapshot.limitRules ?? [], () => new Map(snapshot.keys.map(({ id, name }) => [id, name])));
      return shareLimits(admission, this.#open(writer), clock, { replicas: null, onState: () => {} });
    };
    const speaking = recoverRun(this.#data.journal(writer)).then(
      (recovered) => share(historyAfterCrash(recovered, snapshot).history),
      (error: Error) => {
        log('error', 'limits_of_worker_unknown', { writer, reason: error.message });
        // Said, so that nobody waits for it.
        return share(null);
      },
    );
    this.#shared.set(writer, { close: () => speaking.then((shared) => shared.close()) });
  }

  #warn(reason: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#context.log('warn', 'limits_shared_otherwise', { reason });
  }

  /** Gives back what is not used. */
  async close(): Promise<void> {
    await Promise.all([...this.#shared.values()].map((shared) => shared.close()));
  }
}
