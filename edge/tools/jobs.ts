import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type PostponedWork, PostponedWorkSchema } from "../../gen/tripe/reader/v1/deliveries_pb.ts";
import type { ClientsOf } from "../../services/_runtime/clients.ts";
import { systemClock } from "../../services/_runtime/clock.ts";
import { endQuietlyWithReader } from "../../services/_runtime/quiet-pipe.ts";
import { drawJobs } from "./draw-jobs.ts";
import { connectOperator } from "./operator.ts";

endQuietlyWithReader();

// npm run jobs
// npm run jobs -- redrive [webhook|mail]
// npm run jobs -- resolve <alert>
// Shows the postponed work of a running Tripe, what of it has come to nothing, and the alerts; or has that tried again; or
// closes an alert that a person has dealt with. Asked of the services, as the operator: bodies and mails are not shown.

const USAGE = "usage: npm run jobs, npm run jobs -- redrive [webhook|mail], npm run jobs -- resolve <alert>";

/** The open ones come first; more than these no person reads. */
const ALERTS_MAX = 100;

/** Of webhooks and of mails so many each: a person who sees these knows what is wrong. */
const DEAD_MAX = 20;

/** As many at once as the contract allows. */
const REDRIVE_MAX = 500;

try {
  const { clients, close } = await connectOperator();
  process.once("beforeExit", close);
  const { reader, writer } = clients;
  const [command = "show", word = ""] = process.argv.slice(2);
  if (command === "redrive") {
    const work = word === "" ? "webhook" : word;
    if (work !== "webhook" && work !== "mail") throw new Error(USAGE);
    process.stdout.write(`${await redrive(writer, work)} of ${work} are tried again\n`);
  } else if (command === "resolve") {
    const found = (await reader.listAlerts({ limit: ALERTS_MAX })).alerts.find(({ alertId }) => alertId === word);
    if (found === undefined) throw new Error(`there is no alert ${word}: npm run jobs lists them`);
    const { wasOpen } = await writer.resolveAlert({ accountId: found.accountId, alertId: found.alertId });
    process.stdout.write(`${found.alertId} ${wasOpen ? "is resolved" : "was resolved before"}\n`);
  } else if (command === "show") {
    const [{ counts }, { work }, { alerts }] = await Promise.all([
      reader.countPostponedWork({}),
      reader.listDeadWork({ limit: DEAD_MAX }),
      reader.listAlerts({ limit: ALERTS_MAX }),
    ]);
    const ageOf = (time: Parameters<typeof timestampMs>[0] | undefined) =>
      time === undefined ? undefined : systemClock.nowMs() - timestampMs(time);
    process.stdout.write(
      drawJobs({
        work: counts.map((one) => ({ ...one, name: wordOf(one.work), lateMs: ageOf(one.oldestDueTime) })),
        dead: work.map(({ createTime, ...one }) => ({
          ...one,
          name: wordOf(one.work),
          ageMs: ageOf(createTime) ?? 0,
        })),
        alerts: alerts.map(({ createTime, resolveTime, ...alert }) => ({
          ...alert,
          ageMs: ageOf(createTime) ?? 0,
          resolvedAgeMs: ageOf(resolveTime),
        })),
      }),
    );
  } else {
    throw new Error(USAGE);
  }
} catch (error) {
  const words = error instanceof Error ? error.message : String(error);
  const hint = /ECONNREFUSED|ENOENT/.test(words) ? "; no Tripe runs there" : "";
  process.stderr.write(`${words}${hint}\n`);
  process.exitCode = 1;
}

/** Makes all that is dead due again: what was delivered is not dead, so that doing it twice delivers nothing twice. */
async function redrive(writer: ClientsOf<"operator">["writer"], work: "webhook" | "mail"): Promise<number> {
  const ask = work === "webhook" ? writer.redriveDeliveries : writer.redriveMails;
  let redrivenCount = 0;
  for (let set = REDRIVE_MAX; set === REDRIVE_MAX; redrivenCount += set) {
    set = (await ask({ limit: REDRIVE_MAX })).redrivenCount;
  }
  return redrivenCount;
}

function wordOf(work: PostponedWork): string {
  return PostponedWorkSchema.value[work]?.localName.toLowerCase() ?? String(work);
}
