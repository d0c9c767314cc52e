import type { LeaseSource } from '../gateway/admission/lease-source.ts';
import type { Gateway } from '../gateway/server.ts';
import type { Snapshot } from '../gateway/snapshot.ts';
import { newUuidV7 } from '../kernel/ids.ts';
import { openRedisLeaseSource } from '../stores/redis/lease-source.ts';
import type { ChildContext } from './child-process.ts';
import { supervisorLeaseSource } from './supervisor-lease-source.ts';

/** Decides with whom a gateway keeps its limits: with nobody, with the other workers of its machine, or with all that know one Redis. */
export class LimitSharing {
  readonly #context: ChildContext;
  readonly #writer: string;
  readonly #gateway: Pick<Gateway, 'shareLimits'>;
  #sharing: { close(): Promise<void> } | null = null;
  #driver: string | null = null;
  #hasWarned = false;

  constructor(context: ChildContext, writer: string, gateway: Pick<Gateway, 'shareLimits'>) {
    this.#context = context;
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
    const wanted = url !== null ? 'redis' : (snapshot.limits.workers ?? 1) > 1 ? 'machine' : null;
    if (this.#sharing !== null || wanted === null) {
      if (this.#driver === 'machine' && wanted === 'redis') this.#warn('limits are shared through Redis after a restart');
      return;
    }
    const holder = { writer: this.#writer, incarnation: newUuidV7(Date.now()) };
    const source: LeaseSource = url === null ? supervisorLeaseSource(this.#context, holder) : openRedisLeaseSource({ url, holder });
    this.#driver = wanted;
    this.#sharing = this.#gateway.shareLimits(source, {
      replicas: wanted === 'redis' && onUnavailable === 'local-share' ? replicas : null,
      onState: (isReachable, reason) =>
        log(isReachable ? 'info' : 'error', isReachable ? 'limits_shared' : 'limits_not_shared', { with: wanted, reason, onUnavailable }),
    });
  }

  #warn(reason: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#context.log('warn', 'limits_shared_otherwise', { reason });
  }

  /** Gives back what is not used. */
  async close(): Promise<void> {
    await this.#sharing?.close();
  }
}
