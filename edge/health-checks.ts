import { durationMs, type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { SweepSchema } from "../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import type { Clock } from "../services/_runtime/clock.ts";
import { refusalOf } from "../services/_runtime/errors.ts";
import { type ServiceName, serviceNames } from "../services/_runtime/topology.ts";
import { createBoundedCheck } from "./bounded-check.ts";
import type { EdgeClients } from "./clients.ts";

/** A condition that a person should know of. It ends by itself: when it is over it is found no more. */
export interface Alert {
  /** In UPPER_SNAKE_CASE: "BANK_AWAY". */
  readonly reason: string;
  /** What distinguishes it from others of its reason, such as the bank's name; may be empty. */
  readonly subject: string;
  /** What a person reads; may change while it lasts. */
  readonly words: string;
}

/** How one service is. */
export interface ServiceHealth {
  readonly name: ServiceName;
  /** Why it does not do its work, as words; empty while it does. */
  readonly problem: string;
  readonly alerts: readonly Alert[];
}

/** What the checks stand on. */
export interface HealthCheckOptions {
  readonly clients: Pick<EdgeClients, "reader" | "writer" | "bank" | "mailer" | "scheduler">;
  readonly clock: Clock;
  /** Asks a service whether it is SERVING; false when it does not say in time. */
  isServing(service: ServiceName): Promise<boolean>;
}

/** Somewhat more than the writer gives a heartbeat, and within two seconds together with the age of a cached answer. */
const ANSWER_MAX_MS = 900;

/** Postponed work whose oldest due item waits for longer is stuck: all of it is looked for at least each minute. */
const LATE_MS = 10 * 60_000;

/** How late postponed work is changes by minutes, and asking goes through some indexes. */
const LATENESS_AGE_MS = 10_000;

type Found = Pick<ServiceHealth, "problem" | "alerts">;
const WELL: Found = { problem: "", alerts: [] };

/** Creates the check of every service, in the order of the topology: each says within 0.9 s how it is. */
export function createHealthChecks(options: HealthCheckOptions): (() => Promise<ServiceHealth>)[] {
  const { clock, isServing } = options;
  const asks: Partial<Record<ServiceName, () => Promise<Found>>> = {
    reader: createReaderAsk(options),
    writer: async () => {
      await options.clients.writer.checkDatabase({}, { timeoutMs: ANSWER_MAX_MS });
      return WELL;
    },
    bank: () => askBank(options),
    mailer: () => askMailer(options),
    scheduler: () => askScheduler(options),
  };
  return serviceNames.map((name) => {
    const ask = async (): Promise<Found> => {
      if (!(await isServing(name))) throw new Error(`${name} is not serving`);
      return orOutage(asks[name]?.() ?? Promise.resolve(WELL));
    };
    const check = createBoundedCheck({ ask, waitMs: ANSWER_MAX_MS, clock });
    return async () => {
      const checked = await check();
      if ("answer" in checked) return { name, ...checked.answer };
      return { name, problem: `no answer for ${seconds(checked.silentMs)}`, alerts: [] };
    };
  });
}

/** What a service refuses because of its database is an answer: why it cannot work. */
async function orOutage(asked: Promise<Found>): Promise<Found> {
  try {
    return await asked;
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal?.reason !== "DATABASE_UNAVAILABLE") throw error;
    const { message } = refusal;
    return { problem: message, alerts: [{ reason: "DATABASE_UNAVAILABLE", subject: "", words: message }] };
  }
}

function createReaderAsk({ clients: { reader }, clock }: HealthCheckOptions): () => Promise<Found> {
  let lateness: { readonly atMs: number; readonly alerts: Alert[] } = { atMs: Number.NEGATIVE_INFINITY, alerts: [] };
  const readLateness = async () => {
    if (clock.preciseMs() - lateness.atMs < LATENESS_AGE_MS) return lateness.alerts;
    const { eventTime, deliveryTime, mailTime } = await reader.getOldestDue({}, { timeoutMs: ANSWER_MAX_MS });
    const alerts = [
      ...lateAlerts("events", eventTime, clock),
      ...lateAlerts("webhooks", deliveryTime, clock),
      ...lateAlerts("mails", mailTime, clock),
    ];
    lateness = { atMs: clock.preciseMs(), alerts };
    return alerts;
  };
  return async () => {
    const [{ counts }, late] = await Promise.all([
      reader.countAlerts({}, { timeoutMs: ANSWER_MAX_MS }),
      readLateness(),
    ]);
    const raised = counts.map(({ reason, count }) => ({ reason, subject: "", words: String(count) }));
    return { problem: "", alerts: [...raised, ...late] };
  };
}

/** Money moves while one bank is signed on, one of live accounts where there is any; each that is not is an alert. */
async function askBank({ clients: { bank } }: HealthCheckOptions): Promise<Found> {
  const { banks } = await bank.getStatus({}, { timeoutMs: ANSWER_MAX_MS });
  const away = banks.flatMap(({ bank: name, isLive, awayDuration }) =>
    awayDuration === undefined
      ? []
      : [{ name, isLive, words: `not signed on for ${seconds(durationMs(awayDuration))}` }],
  );
  const hasLive = banks.some(({ isLive }) => isLive);
  const isNeeded = ({ isLive }: { readonly isLive: boolean }) => isLive === hasLive;
  const neededAway = away.filter(isNeeded);
  return {
    problem: neededAway.length === banks.filter(isNeeded).length ? (neededAway[0]?.words ?? "there is no bank") : "",
    alerts: away.map(({ name, words }) => ({ reason: "BANK_AWAY", subject: name, words: `${name} ${words}` })),
  };
}

/** A mail server that is away delays mails, and stops nothing. */
async function askMailer({ clients: { mailer }, clock }: HealthCheckOptions): Promise<Found> {
  const { problem, problemTime } = await mailer.getStatus({}, { timeoutMs: ANSWER_MAX_MS });
  if (problem === "") return WELL;
  const sinceMs = problemTime === undefined ? 0 : clock.nowMs() - timestampMs(problemTime);
  const words = `the mail server ${problem}, for ${seconds(sinceMs)}`;
  return { problem: "", alerts: [{ reason: "MAIL_SERVER_AWAY", subject: "", words }] };
}

/** A sweep that fails once is tried again; one that fails so often in a row, for half a minute, has a cause that a person should know. */
const FAILURES_MIN = 5;

async function askScheduler({ clients: { scheduler } }: HealthCheckOptions): Promise<Found> {
  const { sweeps } = await scheduler.getStatus({}, { timeoutMs: ANSWER_MAX_MS });
  const failing = sweeps.filter(({ failureCount }) => failureCount >= FAILURES_MIN);
  const alerts = failing.map(({ sweep, failureCount, failureReason }) => {
    const name = SweepSchema.value[sweep]?.localName.toLowerCase() ?? String(sweep);
    return { reason: "SWEEP_FAILING", subject: name, words: `${name}: failed ${failureCount} times: ${failureReason}` };
  });
  return { problem: "", alerts };
}

function lateAlerts(work: string, dueTime: Timestamp | undefined, clock: Clock): Alert[] {
  if (dueTime === undefined) return [];
  const lateMs = clock.nowMs() - timestampMs(dueTime);
  if (lateMs < LATE_MS) return [];
  const words = `${work}: the oldest is due for ${Math.floor(lateMs / 60_000)} min`;
  return [{ reason: "QUEUE_LATE", subject: work, words }];
}

/** Whole seconds, rounded up: "0 s" says nothing. */
function seconds(ms: number): string {
  return `${Math.max(1, Math.ceil(ms / 1_000))} s`;
}
