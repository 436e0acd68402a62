import { createHash } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Job, type JobResult, PgBoss } from "pg-boss";
import type { Clock } from "../_runtime/clock.ts";
import type { Log } from "../_runtime/log.ts";

/** A mail to be made of an event: ids only, so that what is mailed is what the tables say. */
export interface MailJob {
  readonly accountId: string;
  readonly eventId: string;
}

/** The queue of mails. A job is kept until it is done, or dead. */
export interface Jobs {
  /** Puts mails into the queue, each event's once however often it is sent. Rejects with UNAVAILABLE while not open. */
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

/** Two workers and one sender; each is a backend of Postgres. */
const CONNECTIONS_MAX = 3;

/** Until the process ends: nothing else would try again. pg-boss waits 1, 2, 4 … 30 s between two. */
const STARTS_MAX = Number.MAX_SAFE_INTEGER;

/** A process has 12 s to end (process.ts), and the sweeps have theirs. */
const STOP_MAX_MS = 5_000;

/**
 * Opens the queue on pg-boss, in its own schema, in the background: the sweeps that need no queue do not wait for it.
 * Opening makes or migrates pg-boss's tables; two schedulers may do so at once.
 */
export function openJobs({ url, log, clock, retryDelaySeconds = 30 }: JobsOptions): Jobs {
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
  const opening = open(boss, retryDelaySeconds).then(() => {
    isOpen = true;
  });
  opening.catch((error: unknown) => log.error("the queue of mails did not open", error));
  return {
    send: async (batch) => {
      if (batch.length === 0) return;
      if (!isOpen) await Promise.race([opening, clock.sleep(OPEN_MAX_MS)]);
      if (!isOpen) throw new ConnectError("the queue of mails is not open", Code.Unavailable);
      await boss.insert(QUEUE, batch.map(insertOf));
      if (workerId !== "") boss.notifyWorker(workerId);
    },
    work: (handler) => {
      const working = opening.then(() =>
        boss.work<MailJob, unknown, typeof workOptions>(QUEUE, workOptions, settle(handler, log)),
      );
      working.then((id) => (workerId = id)).catch((error: unknown) => log.error("no mails are worked", error));
    },
    stop: () => boss.stop({ graceful: true, timeout: STOP_MAX_MS }),
  };
}

const workOptions = {
  batchSize: BATCH_SIZE,
  localConcurrency: WORKERS_COUNT,
  groupConcurrency: BATCH_SIZE,
  pollingIntervalSeconds: POLL_SECONDS,
  burstWhenBatchFull: true,
  perJobResults: true,
} as const;

async function open(boss: PgBoss, retryDelaySeconds: number): Promise<void> {
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
}

function insertOf(job: MailJob) {
  return { id: jobIdOf(job), data: job, group: { id: job.accountId } };
}

/** A UUID of the event, of version 8 (RFC 9562): its hash, so that the same event is the same job. */
function jobIdOf({ accountId, eventId }: MailJob): string {
  const hash = createHash("sha256").update(`${accountId}/${eventId}`).digest("hex");
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
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
          log.error("a mail is tried again", error, { event_id: data.eventId });
          return { id, status: "failed", output: { message: error instanceof Error ? error.message : "failed" } };
        }
      }),
    );
}
