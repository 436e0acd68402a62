import { Code, ConnectError } from "@connectrpc/connect";
import { type Job, type JobResult, PgBoss } from "pg-boss";
import type { Clock } from "../_runtime/clock.ts";
import type { Log } from "../_runtime/log.ts";
import {
  openWebhookJobs,
  uuidOf,
  WEBHOOK_DEAD_QUEUE,
  WEBHOOK_QUEUE,
  type WebhookJobs,
  webhookQueueOf,
} from "./webhook-jobs.ts";

/** A mail to be made of an event: ids only, so that what is mailed is what the tables say. */
export interface EventMailJob {
  readonly accountId: string;
  readonly eventId: string;
}

/** The notice of an endpoint that Tripe disabled at a moment, in milliseconds since 1970. */
export interface NoticeMailJob {
  readonly accountId: string;
  readonly webhookEndpointId: string;
  readonly disableMs: number;
}

/** What the queue of mails holds. */
export type MailJob = EventMailJob | NoticeMailJob;

/** How a queue is doing. */
export interface QueueState {
  readonly name: string;
  /** Jobs that wait, also those whose time has not come. */
  readonly waitingCount: number;
  readonly activeCount: number;
  /** When the job was made that has waited longest; undefined when none waits. */
  readonly oldestMs: number | undefined;
}

/** The job of a queue that should have been done longest ago. */
export interface OldestDue {
  readonly queue: string;
  readonly dueMs: number;
}

/** The queue of mails, and beside it that of webhooks. A job is kept until it is done, or dead. */
export interface Jobs {
  readonly webhooks: WebhookJobs;
  /** How every queue is doing, the dead letters' too. */
  list(): Promise<QueueState[]>;
  /** When the job was due that has waited longest, by queue; as of some seconds ago, and at once, even while the queue is away. */
  oldestDue(): readonly OldestDue[];
  /** Puts dead letters back into the queue they came from; says how many. Refuses nothing: other names have none. */
  redrive(queue: string): Promise<number>;
  /** Puts mails into the queue, each one once however often it is sent. Rejects with UNAVAILABLE while not open. */
  send(batch: readonly MailJob[]): Promise<void>;
  /** Has the queue worked by this process; a handler that throws is called again later. Called once. */
  work(handler: (job: MailJob) => Promise<void>): void;
  /** Takes no more jobs, waits for those under way, and closes the connections. */
  stop(): Promise<void>;
}

/** Where the queue is, and for tests how long a first retry waits. */
export interface JobsOptions {
  /** The database, as the role `scheduler`, which owns the schema `jobs`. */
  readonly url: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Default 30: a mail server that greylists wants half a minute. It doubles, up to an hour. */
  readonly retryDelaySeconds?: number;
  /** Default 1: how long a delivery waits whose reader or writer was away. It doubles, up to a minute. */
  readonly webhookDelaySeconds?: number;
}

const QUEUE = "mail";
const DEAD_QUEUE = "mail_dead";

/** 30 s doubled to an hour after seven retries, then nearly hourly: the five days for which mail is tried (RFC 5321, 4.5.4.1). */
const RETRIES_MAX = 160;
const RETRY_DELAY_MAX_SECONDS = 3_600;

/** Three reads of 5 s and a mail of 15, twice over: what takes longer is a worker that died. */
const EXPIRE_SECONDS = 60;

/** Two workers of five mails each fill the mailer's connections; one account may fill one of them, not both. */
const WORKERS_COUNT = 2;
const BATCH_SIZE = 5;

/** What another scheduler queued is found after so long; this process's own jobs wake its workers. */
const POLL_SECONDS = 2;

/** Opening takes some 0.2 s: a sweep that comes before waits for it, but not for a database that is away. */
const OPEN_MAX_MS = 2_000;

/** Two workers of mails, one sender, and two for deliveries: one claims while another settles. Each is a backend of Postgres. */
const CONNECTIONS_MAX = 5;

/** Until the process ends: nothing else would try again. pg-boss waits 1, 2, 4 … 30 s between two. */
const STARTS_MAX = Number.MAX_SAFE_INTEGER;

/** A process has 12 s to end (process.ts), and the sweeps have theirs. */
const STOP_MAX_MS = 5_000;

/**
 * Opens the queue on pg-boss, in its own schema, in the background: the sweeps that need no queue do not wait for it.
 * Opening makes or migrates pg-boss's tables; two schedulers may do so at once.
 */
export function openJobs({ url, log, clock, retryDelaySeconds = 30, webhookDelaySeconds }: JobsOptions): Jobs {
  const boss = new PgBoss({
    connectionString: url,
    schema: "jobs",
    createSchema: false,
    max: CONNECTIONS_MAX,
    schedule: false,
  });
  boss.on("error", (error) => log.error("the queue of mails failed", error));
  boss.on("warning", ({ message }) => log.warn("the queue of mails warns", { message }));
  let isOpen = false;
  let workerId = "";
  const opening = open(boss, retryDelaySeconds, webhookQueueOf(webhookDelaySeconds)).then(() => {
    isOpen = true;
  });
  opening.catch((error: unknown) => log.error("the queue of mails did not open", error));
  const ready = async () => {
    if (!isOpen) await Promise.race([opening, clock.sleep(OPEN_MAX_MS)]);
    if (!isOpen) throw new ConnectError("the queue of mails is not open", Code.Unavailable);
  };
  const webhooks = openWebhookJobs(boss, { opening, clock, log });
  const oldestDue = createOldestDue({ clock, find: async () => (isOpen ? findOldestDue(boss) : []) });
  return {
    webhooks: {
      ...webhooks,
      send: async (batch) => {
        if (batch.length > 0) await ready();
        await webhooks.send(batch);
      },
    },
    list: async () => {
      await ready();
      return listQueues(boss);
    },
    oldestDue,
    redrive: async (queue) => {
      await ready();
      const dead = deadQueues[queue];
      return dead === undefined ? 0 : boss.redrive(dead, { destination: queue, limit: REDRIVE_MAX });
    },
    send: async (batch) => {
      if (batch.length === 0) return;
      await ready();
      await boss.insert(QUEUE, batch.map(insertOf));
      if (workerId !== "") boss.notifyWorker(workerId);
    },
    work: (handler) => {
      const working = opening.then(() =>
        boss.work<MailJob, unknown, typeof workOptions>(QUEUE, workOptions, settle(handler, log)),
      );
      working.then((id) => (workerId = id)).catch((error: unknown) => log.error("no mails are worked", error));
    },
    stop: async () => {
      await Promise.race([webhooks.stop(), clock.sleep(STOP_MAX_MS)]);
      await boss.stop({ graceful: true, timeout: STOP_MAX_MS });
    },
  };
}

const deadQueues: Readonly<Record<string, string>> = { [QUEUE]: DEAD_QUEUE, [WEBHOOK_QUEUE]: WEBHOOK_DEAD_QUEUE };

/** As pg-boss has it by default: a person who redrives more does it again. */
const REDRIVE_MAX = 1_000;

async function listQueues(boss: PgBoss): Promise<QueueState[]> {
  const text = `select name, count(*) filter (where state < 'active')::int as waiting_count,
      count(*) filter (where state = 'active')::int as active_count,
      extract(epoch from min(created_on) filter (where state < 'active'))::float8 as oldest
    from jobs.job where state <= 'active' group by name`;
  const { rows } = await boss.getDb().executeSql(text);
  const byName = new Map(rows.map((row) => [row.name, row]));
  return [QUEUE, DEAD_QUEUE, WEBHOOK_QUEUE, WEBHOOK_DEAD_QUEUE].map((name) => {
    const row = byName.get(name);
    const oldestMs = typeof row?.oldest === "number" ? Math.round(row.oldest * 1_000) : undefined;
    return { name, waitingCount: row?.waiting_count ?? 0, activeCount: row?.active_count ?? 0, oldestMs };
  });
}

/** How late the queues are is asked of them so often: what matters is ten minutes. */
const OLDEST_DUE_MS = 10_000;

function createOldestDue({ clock, find }: { clock: Clock; find: () => Promise<OldestDue[]> }) {
  let known: readonly OldestDue[] = [];
  let isAsking = false;
  let askedMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (!isAsking && clock.preciseMs() - askedMs >= OLDEST_DUE_MS) {
      [isAsking, askedMs] = [true, clock.preciseMs()];
      void find()
        .then((found) => (known = found))
        // A database that is away is told of by others.
        .catch(() => undefined)
        .finally(() => (isAsking = false));
    }
    return known;
  };
}

async function findOldestDue(boss: PgBoss): Promise<OldestDue[]> {
  const text = `select name, extract(epoch from min(start_after))::float8 as oldest from jobs.job
    where state < 'active' and name in ('${QUEUE}', '${WEBHOOK_QUEUE}') and start_after <= statement_timestamp() group by name`;
  const { rows } = await boss.getDb().executeSql(text);
  return rows.map((row) => ({ queue: String(row.name), dueMs: Math.round(Number(row.oldest) * 1_000) }));
}

const workOptions = {
  batchSize: BATCH_SIZE,
  localConcurrency: WORKERS_COUNT,
  groupConcurrency: BATCH_SIZE,
  pollingIntervalSeconds: POLL_SECONDS,
  burstWhenBatchFull: true,
  perJobResults: true,
} as const;

async function open(
  boss: PgBoss,
  retryDelaySeconds: number,
  webhookQueue: ReturnType<typeof webhookQueueOf>,
): Promise<void> {
  await boss.start({ attempts: STARTS_MAX });
  await boss.createQueue(DEAD_QUEUE);
  const queue = {
    retryLimit: RETRIES_MAX,
    retryDelay: retryDelaySeconds,
    retryBackoff: true,
    retryDelayMax: RETRY_DELAY_MAX_SECONDS,
    expireInSeconds: EXPIRE_SECONDS,
    deadLetter: DEAD_QUEUE,
  };
  await boss.createQueue(QUEUE, queue);
  await boss.updateQueue(QUEUE, queue);
  await boss.createQueue(WEBHOOK_DEAD_QUEUE);
  await boss.createQueue(WEBHOOK_QUEUE, webhookQueue);
  await boss.updateQueue(WEBHOOK_QUEUE, webhookQueue);
}

function insertOf(job: MailJob) {
  return { id: uuidOf(`${job.accountId}/${nameOf(job)}`), data: job, group: { id: job.accountId } };
}

/** What a mail is called, among its account's: the event, or the endpoint and when it was disabled. */
function nameOf(job: MailJob): string {
  return "eventId" in job ? job.eventId : `${job.webhookEndpointId}/disabled/${job.disableMs}`;
}

/** One job's failure is its own: the others of its batch are done. */
function settle(handler: (job: MailJob) => Promise<void>, log: Log) {
  return (jobs: Job<MailJob>[]): Promise<JobResult[]> =>
    Promise.all(
      jobs.map(async ({ id, data }): Promise<JobResult> => {
        try {
          await handler(data);
          return { id, status: "completed" };
        } catch (error) {
          log.error("a mail is tried again", error, { mail: nameOf(data) });
          return { id, status: "failed", output: { message: error instanceof Error ? error.message : "failed" } };
        }
      }),
    );
}
