import { createServer } from 'node:http';
import { checkpointEntry } from '../gateway/admission/history.ts';
import { DEFAULT_CACHE_SETTINGS } from '../gateway/cache/settings.ts';
import { FrontDoor } from '../gateway/downstream/front-door.ts';
import { isCallUrl } from '../gateway/endpoints.ts';
import { createGateway } from '../gateway/server.ts';
import type { SecretReference, Snapshot } from '../gateway/snapshot.ts';
import { systemClock } from '../kernel/clock.ts';
import type { JournalEntry } from '../kernel/journal/record.ts';
import { DEFAULT_TOTAL_BYTES, FileJournalWriter } from '../kernel/journal/writer.ts';
import { openRedisAnswerCache } from '../stores/redis/answer-cache.ts';
import type { CallOpened } from '../traces/call-record.ts';
import { CacheReporter } from './cache-reporter.ts';
import { type ChildContext, type RunningChild, runChild } from './child-process.ts';
import { answerClientError } from './client-error.ts';
import { ControlLink } from './control-link.ts';
import { ControlProxy } from './control-proxy.ts';
import { DataDirectory } from './data-directory.ts';
import { historyAfterCrash, RECOVERY_MARK, recoverRun, settledRecord } from './journal-recovery.ts';
import { JournalUploader } from './journal-uploader.ts';
import { LimitSharing } from './limit-sharing.ts';
import { LogWriter } from './log-writer.ts';
import { MetricsExchange } from './metrics-exchange.ts';
import { WorkerReporter } from './worker-reporter.ts';

/** In-flight answers may take this long to finish when the process is asked to end. */
const DRAIN_MS = 20_000;
/** Members of each limit that control is told of: those that have used most. */
const TOP_MEMBERS = 20;
/** And the last records of a gateway on another machine this long to reach control. */
const UPLOAD_MS = 5_000;

runChild('gateway', async (context: ChildContext): Promise<RunningChild> => {
  const { environment, clock, log } = context;
  const { variables } = environment;
  const listenHandle = new Promise<unknown>((resolve) => {
    context.onMessage((message, handle) => {
      if (message.type === 'listen') resolve(handle);
    });
  });
  const data = new DataDirectory(environment.dataDirectory);
  const writerName = variables.PLIMSOLL_INTERNAL_WRITER ?? 'gateway-1';
  const isAlone = variables.PLIMSOLL_INTERNAL_ROLE === 'gateway';
  const clusterKey = variables.PLIMSOLL_CLUSTER_KEY ?? '';
  const controlUrl = environment.controlUrl ?? '';

  const recovered = await recoverRun(data.journal(writerName));
  // Until the dead run is settled below, its open calls stand at the head of the new segment: a crash in between loses none.
  const open = {
    calls: (): Iterable<CallOpened> => recovered.calls,
    /** What the segment needs of the limits: to be carried, or appended behind what waits. */
    limits: (): JournalEntry[] => [checkpointEntry(recovered.limits)],
  };
  let current: Snapshot | null = null;
  const journal = await FileJournalWriter.open({
    directory: data.journal(writerName),
    clock: systemClock,
    maxTotalBytes: () => current?.limits.journalMaxBytes ?? DEFAULT_TOTAL_BYTES,
    carryOver: () => [
      ...open.limits(),
      ...[...open.calls()].map((call) => ({
        type: 'call.opened' as const,
        schemaVersion: 1,
        id: call.callId,
        payload: JSON.stringify(call),
      })),
    ],
    onDegraded: (isDegraded, reason) =>
      log(isDegraded ? 'error' : 'info', isDegraded ? 'journal_degraded' : 'journal_recovered', { reason }),
  });

  let hasWarnedOfRedis = false;
  const firstSnapshot = Promise.withResolvers<void>();
  const logLines = new LogWriter(1, systemClock);
  const sharedCache =
    environment.redisUrl === null
      ? null
      : openRedisAnswerCache({ url: environment.redisUrl, clock, maxBytes: DEFAULT_CACHE_SETTINGS.maxBytes });
  const gateway = createGateway({
    clock,
    journal,
    snapshots: { current: () => current },
    resolveSecret: (reference: SecretReference) =>
      reference === null ? null : 'env' in reference ? (variables[reference.env] ?? null) : reference.literal,
    writeLogLine: (line) => logLines.writeLine(line),
    sharedCache,
    forward: (request, response) => proxy.forward(request, response),
  });
  open.calls = () => gateway.openCalls();
  open.limits = () => {
    // Appended, not carried: it counts the calls whose records still wait, and so must stand behind them.
    journal.append(checkpointEntry(gateway.limitsHistory()));
    return [];
  };
  const sharing = new LimitSharing(context, data, writerName, gateway);
  const proxy = new ControlProxy(controlUrl);
  const metrics = new MetricsExchange({
    context,
    own: () => `${gateway.metrics()}${logMetrics(logLines.droppedLines)}`,
    controlUrl,
    clusterKey,
  });

  const link = new ControlLink({
    controlUrl,
    clusterKey,
    snapshotPath: data.snapshot,
    clock: systemClock,
    report: () => ({
      writer: writerName,
      isReady: gateway.readiness().ready,
      reasons: gateway.readiness().reasons,
      shedPayloads: journal.stats.shedPayloads,
      isDegraded: journal.stats.isDegraded,
    }),
    onSnapshot: (snapshot) => {
      current = snapshot;
      if (snapshot.cache?.driver === 'redis' && sharedCache === null && !hasWarnedOfRedis) {
        hasWarnedOfRedis = true;
        log('warn', 'cache_in_memory', { reason: 'cache.driver is redis and PLIMSOLL_REDIS_URL is not set' });
      }
      // Beside a control of its own the supervisor hears it from there.
      if (isAlone && snapshot.limits.workers !== undefined)
        context.send({ type: 'topology', topology: { workers: snapshot.limits.workers, sim: null } });
      sharing.follow(snapshot);
      firstSnapshot.resolve();
    },
    onState: (isReachable, reason) => {
      proxy.setReachable(isReachable);
      log(isReachable ? 'info' : 'warn', isReachable ? 'control_reachable' : 'control_unreachable', { reason });
    },
  });
  link.loadFromDisk();
  settleRecovered();
  void link.follow();
  const uploader = isAlone
    ? new JournalUploader({ directory: data.journal(writerName), writer: writerName, controlUrl, clusterKey, clock: systemClock, log })
    : null;
  uploader?.start();
  const reporting = { controlUrl, clusterKey, writer: writerName, clock: systemClock };
  const reporters = [
    new WorkerReporter({ ...reporting, resource: 'routing', report: () => gateway.routing() }),
    new WorkerReporter({ ...reporting, resource: 'limits', report: () => gateway.limitsReport(TOP_MEMBERS) }),
  ];
  for (const reporter of reporters) reporter.start();

  const cacheReporter = new CacheReporter({
    controlUrl,
    clusterKey,
    writer: writerName,
    clock: systemClock,
    report: () => gateway.cacheReport(),
    isNeeded: () => current?.features.some((feature) => feature.cache) ?? false,
  });
  cacheReporter.start();
  const server = createServer(
    { keepAliveTimeout: 75_000, headersTimeout: 65_000, requestTimeout: 300_000, noDelay: true, highWaterMark: 64 * 1024 },
    (request, response) => {
      if (request.url === '/metrics') metrics.answer(response);
      else gateway.handler(request, response);
    },
  );
  server.on('clientError', answerClientError);
  const frontDoor = new FrontDoor(server, { clock, takes: isCallUrl, handle: gateway.handler });
  const handle = await listenHandle;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(handle as { fd: number }, resolve);
  });
  // Ready means that a call can be answered: wait for the first snapshot, from disk or from control.
  await firstSnapshot.promise;

  /** What a dead run of this writer left open is closed now, before anything new is written behind it. */
  function settleRecovered(): void {
    const { settled, history } = historyAfterCrash(recovered, current);
    for (const call of settled) journal.append(settledRecord(call));
    journal.append({
      type: 'event',
      schemaVersion: 1,
      id: RECOVERY_MARK,
      payload: JSON.stringify({ recovered: recovered.calls.length, atMs: clock.nowMs() }),
    });
    gateway.continueLimits(history);
    // From here on the next start needs nothing of what is before.
    if (current !== null) open.limits();
    if (recovered.calls.length > 0) log('warn', 'calls_recovered', { count: recovered.calls.length });
  }

  return {
    shutdown: async () => {
      server.close();
      server.closeIdleConnections();
      frontDoor.close();
      await gateway.drain(DRAIN_MS);
      await sharing.close();
      server.closeAllConnections();
      frontDoor.destroy();
      sharedCache?.close();
      await cacheReporter.close();
      for (const reporter of reporters) await reporter.close();
      await link.close();
      await journal.sync();
      await uploader?.stop(UPLOAD_MS);
      await journal.close();
      await proxy.close();
      await logLines.drain(1_000);
    },
  };
});

function logMetrics(droppedLines: number): string {
  const name = 'plimsoll_log_lines_dropped_total';
  return `# HELP ${name} Log lines dropped because nobody read those before.\n# TYPE ${name} counter\n${name} ${droppedLines}\n`;
}
