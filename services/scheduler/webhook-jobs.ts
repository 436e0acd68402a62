import { createHash } from "node:crypto";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Job, PgBoss } from "pg-boss";
import type { Clock } from "../_runtime/clock.ts";
import type { Log } from "../_runtime/log.ts";
import { type Ended, type Pump, startPump } from "./pump.ts";

/** One turn of an event's delivery to an endpoint: ids only, so that what is posted is what the tables say. */
export interface WebhookJob {
  readonly accountId: string;
  readonly eventId: string;
  readonly webhookEndpointId: string;
  readonly turn: number;
}

/** How jobs of deliveries are done. */
export interface WebhookWork<Tried> {
  /** Makes one try. Rejects when nothing is known of it; `failures` says how often that has happened before. */
  readonly work: (job: WebhookJob, failures: number) => Promise<Tried>;
  /** Writes down what tries came to: only then are their jobs over. */
  readonly record: (tries: readonly Tried[]) => Promise<void>;
}

/** The queue of deliveries. */
export interface WebhookJobs {
  /** Puts turns into the queue, each once however often it is sent. */
  send(batch: readonly WebhookJob[]): Promise<void>;
  /** Has the queue worked by this process. Called once. */
  work<Tried>(work: WebhookWork<Tried>): void;
  stop(): Promise<void>;
}

/** The queue's name, and that of what nobody could make sense of. */
export const WEBHOOK_QUEUE = "webhook";
/** Where jobs end that nobody could make sense of: another ladder than a merchant's, and a bug of ours. */
export const WEBHOOK_DEAD_QUEUE = "webhook_dead";

/**
 * One second doubled to a minute: what a job waits for is our own reader or writer. A thousand tries are some 16 hours; a
 * merchant's server has the ladder of deliver.ts, and none of these.
 */
const DELAY_MAX_SECONDS = 60;

const webhookQueue = {
  retryLimit: 1_000,
  // A try takes 15 s at most (webhooks.DeliverEvent), its writing down 5: what takes longer is a worker that died.
  expireInSeconds: 60,
  // A turn that is over is told by its row; its job need not be remembered.
  deleteAfterSeconds: 3_600,
  deadLetter: WEBHOOK_DEAD_QUEUE,
};

/** 128 posts at once cost a process some 20 MB; one account may fill half of them, one endpoint a quarter. */
const LANES_COUNT = 128;
const ACCOUNT_LANES = 64;
const ENDPOINT_LANES = 32;

/** What another scheduler queued is found after so long; this process's own jobs wake it. */
const POLL_MS = 500;

/** The queue's settings; a job that failed waits this long first, a second unless a test cannot wait at all. */
export function webhookQueueOf(retryDelay = 1) {
  return {
    ...webhookQueue,
    retryDelay,
    ...(retryDelay > 0 && { retryBackoff: true, retryDelayMax: DELAY_MAX_SECONDS }),
  };
}

/** Opens the queue of deliveries on a pg-boss that `opening` makes ready. */
export function openWebhookJobs(boss: PgBoss, options: { opening: Promise<void>; clock: Clock; log: Log }) {
  const { opening, clock, log } = options;
  let pump: Pump | undefined;
  let isStopped = false;
  const jobs: WebhookJobs = {
    send: async (batch) => {
      if (batch.length === 0) return;
      await boss.insert(WEBHOOK_QUEUE, batch.map(insertOf));
      pump?.wake();
    },
    work: (work) => {
      const start = () => {
        if (!isStopped) pump = startWebhookPump(boss, work, { clock, log });
      };
      // Why the queue did not open is logged where it is opened.
      opening.then(start, () => undefined);
    },
    stop: async () => {
      isStopped = true;
      await pump?.stop();
    },
  };
  return jobs;
}

interface Claimed {
  readonly id: string;
  /** The account: which endpoint has its fill is counted by the database, for all schedulers. */
  readonly group: string;
  readonly job: Job<WebhookJob>;
}

function startWebhookPump<Tried>(boss: PgBoss, work: WebhookWork<Tried>, { clock, log }: { clock: Clock; log: Log }) {
  // Which endpoints an account has, as far as they were met: at most sixteen each.
  const endpoints = new Map<string, Set<string>>();
  return startPump<Claimed, Tried>({
    ...{ clock, log, lanesCount: LANES_COUNT, groupLanes: ACCOUNT_LANES, pollMs: POLL_MS },
    fetch: async (batchSize, fullAccounts) => {
      const ignoreGroups = fullAccounts.flatMap((account) => [...(endpoints.get(account) ?? [])]);
      const limits = { batchSize, groupConcurrency: ENDPOINT_LANES, ignoreGroups };
      const jobs = await boss.fetch<WebhookJob>(WEBHOOK_QUEUE, limits);
      for (const { data, groupId } of jobs) meet(endpoints, accountOf(data), groupId ?? "");
      return jobs.map((job) => ({ id: job.id, group: accountOf(job.data), job }));
    },
    work: async ({ job }) => work.work(readJob(job.data), job.retryCount),
    settle: (ended) => settle(boss, ended, { work, log }),
  });
}

async function settle<Tried>(
  boss: PgBoss,
  ended: readonly Ended<Claimed, Tried>[],
  { work, log }: { work: WebhookWork<Tried>; log: Log },
): Promise<void> {
  const done = ended.flatMap((one) => ("done" in one ? [one.done] : []));
  // What is not written down has not happened: it is posted again, with the same event's id.
  const unrecorded = await (done.length > 0 ? work.record(done) : Promise.resolve()).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const failureOf = (one: Ended<Claimed, Tried>) => ("error" in one ? one : unrecorded);
  const failed = ended.flatMap((one) => {
    const failure = failureOf(one);
    return failure === undefined
      ? []
      : [{ job: one.job.job, error: failure.error, isDead: "error" in one && isHopeless(one.error) }];
  });
  const dead = failed.filter(({ isDead }) => isDead).map(({ job }) => job);
  const again = failed.filter(({ isDead }) => !isDead).map(({ job }) => job);
  const over = [...dead, ...ended.filter((one) => failureOf(one) === undefined).map(({ job }) => job.job)];
  for (const { job, error } of failed)
    log.error("a delivery could not be tried", error, { event_id: eventOf(job.data) });
  if (dead.length > 0) await boss.insert(WEBHOOK_DEAD_QUEUE, dead.map(deadOf));
  if (over.length > 0) await boss.complete(WEBHOOK_QUEUE, over);
  if (again.length > 0) await boss.fail(WEBHOOK_QUEUE, again);
}

// What a service refuses for good it refuses again: an id that names nothing, a message that breaks the contract.
function isHopeless(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return error instanceof MalformedJob;
  return [Code.NotFound, Code.InvalidArgument, Code.FailedPrecondition].includes(error.code);
}

class MalformedJob extends Error {}

// Jobs are JSON in a table that people can write to.
function readJob(data: unknown): WebhookJob {
  const { accountId, eventId, webhookEndpointId, turn } = Object(data) as Partial<Record<keyof WebhookJob, unknown>>;
  const isWhole = [accountId, eventId, webhookEndpointId].every((id) => typeof id === "string" && id !== "");
  if (!isWhole || !Number.isSafeInteger(turn)) throw new MalformedJob("a job of a delivery names no delivery");
  return {
    accountId: String(accountId),
    eventId: String(eventId),
    webhookEndpointId: String(webhookEndpointId),
    turn: Number(turn),
  };
}

function accountOf(data: unknown): string {
  return String(Object(data).accountId ?? "");
}

function eventOf(data: unknown): string {
  return String(Object(data).eventId ?? "");
}

function meet(endpoints: Map<string, Set<string>>, account: string, endpoint: string): void {
  const known = endpoints.get(account) ?? new Set();
  endpoints.set(account, known.add(endpoint));
}

function insertOf(job: WebhookJob) {
  return { id: idOf(job), data: job, group: { id: job.webhookEndpointId } };
}

function deadOf({ id, data }: Job<WebhookJob>) {
  return { id, data };
}

/** A UUID of the turn, of version 8 (RFC 9562): its hash, so that the same turn is the same job. */
function idOf({ accountId, eventId, webhookEndpointId, turn }: WebhookJob): string {
  return uuidOf(`${accountId}/${eventId}/${webhookEndpointId}/${turn}`);
}

/** Makes a name into a UUID of version 8 (RFC 9562): its hash, so that the same name is the same job. */
export function uuidOf(name: string): string {
  const hash = createHash("sha256").update(name).digest("hex");
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}
