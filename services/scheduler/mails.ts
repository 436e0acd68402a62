import type { MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { type LeasedMail, MailOutcome, type MailTrySchema } from "../../gen/tripe/writer/v1/mails_pb.ts";
import type { Clock } from "../_runtime/clock.ts";
import type { Log } from "../_runtime/log.ts";
import type { SchedulerClients } from "./clients.ts";
import { isAway } from "./is-away.ts";
import { type Mailed, sendMail } from "./send-mail.ts";
import { createWorkerPool, type WorkerPool } from "./worker-pool.ts";

/** What mailing stands on. */
export interface MailDependencies {
  readonly clients: Pick<SchedulerClients, "reader" | "writer" | "pdf" | "mailer">;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a mail waits at first that was postponed; default half a minute, which a mail server that greylists wants. It doubles. */
  readonly retryWaitMs?: number;
}

type Attempted = MessageInitShape<typeof MailTrySchema>;

/** Half a minute doubled to an hour after seven tries, then hourly: the five days for which mail is tried (RFC 5321, 4.5.4.1). */
const RETRY_WAIT_MS = 30_000;
const RETRY_WAIT_MAX_MS = 3_600_000;
const TRIES_MAX = 127;

/** Ten fill the mailer's five connections while the printer works; one account may fill half of them. */
const CONCURRENCY = 10;
const ACCOUNT_MAX = 5;

/** Creates the pool that sends mails which are due. The limit of an account is that of one scheduler. */
export function createMails(dependencies: MailDependencies): WorkerPool {
  const { clients, clock, log } = dependencies;
  return createWorkerPool<LeasedMail, Attempted | undefined>({
    ...{ name: "mails", concurrency: CONCURRENCY, clock, log },
    lease: async (limit, underway) => {
      const { mails } = await clients.writer.leaseMails({ limit, accountMax: ACCOUNT_MAX, loads: loadsOf(underway) });
      const isAtLimit = loadsOf([...underway, ...mails]).some(({ count }) => count >= ACCOUNT_MAX);
      return { rows: mails, hasMore: mails.length === limit || isAtLimit };
    },
    work: (mail) => attemptMail(dependencies, mail),
    record: async (all) => {
      const tries = all.filter((one) => one !== undefined);
      if (tries.length > 0) await clients.writer.recordMails({ tries });
    },
  });
}

function loadsOf(underway: readonly LeasedMail[]) {
  const byAccount = Map.groupBy(underway, ({ accountId }) => accountId);
  return [...byAccount].map(([accountId, { length }]) => ({ accountId, count: length }));
}

/** Sends once. Says what to record, whatever happens; nothing of an invoice whose end is recorded with it. */
async function attemptMail(dependencies: MailDependencies, mail: LeasedMail): Promise<Attempted | undefined> {
  const { accountId, mailId, tries } = mail;
  const attempted = { accountId, mailId, tries };
  try {
    const mailed = await sendMail(dependencies, mail);
    return mailed.case === "recorded" ? undefined : { ...attempted, ...outcomeOf(dependencies, mail, mailed) };
  } catch (error) {
    dependencies.log.error("a mail is tried again", error, { mail: mailId });
    const problem = isAway(error) ? "a service of Tripe's was away" : "a fault of Tripe's own";
    return { ...attempted, ...postponed(dependencies, mail, problem) };
  }
}

function outcomeOf(dependencies: MailDependencies, mail: LeasedMail, mailed: Exclude<Mailed, { case: "recorded" }>) {
  switch (mailed.case) {
    case "sent":
      return { outcome: MailOutcome.SENT, messageId: mailed.messageId };
    case "over":
      return { outcome: MailOutcome.GIVEN_UP, problem: mailed.problem };
    case "postponed":
      return postponed(dependencies, mail, "the mail server postponed it");
  }
}

function postponed({ retryWaitMs = RETRY_WAIT_MS }: MailDependencies, { tries }: LeasedMail, problem: string) {
  if (tries >= TRIES_MAX) return { outcome: MailOutcome.DEAD, problem };
  const waitMs = Math.min(retryWaitMs * 2 ** (tries - 1), RETRY_WAIT_MAX_MS);
  return { outcome: MailOutcome.POSTPONED, wait: durationFromMs(waitMs), problem };
}
