import { timestampMs } from "@bufbuild/protobuf/wkt";
import { systemClock } from "../../services/_runtime/clock.ts";
import { endQuietlyWithReader } from "../../services/_runtime/quiet-pipe.ts";
import { drawJobs } from "./draw-jobs.ts";
import { connectOperator } from "./operator.ts";

endQuietlyWithReader();

// npm run jobs
// npm run jobs -- redrive [webhook|mail]
// npm run jobs -- resolve <alert>
// Shows the queues of a running Tripe, what has died in them and the alerts; or has what died tried again; or closes an alert
// that a person has dealt with. Asked of the services, as a person: what a job is made of stays in the database.

/** The open ones come first; more than these no person reads. */
const ALERTS_MAX = 100;

try {
  const { clients, close } = await connectOperator();
  process.once("beforeExit", close);
  const { scheduler, reader, writer } = clients;
  const [command = "show", word = ""] = process.argv.slice(2);
  if (command === "redrive") {
    const queue = word === "" ? "webhook" : word;
    const { redrivenCount } = await scheduler.redriveQueue({ queue });
    process.stdout.write(`${redrivenCount} of ${queue} are tried again\n`);
  } else if (command === "resolve") {
    const found = (await reader.listAlerts({ limit: ALERTS_MAX })).alerts.find(({ alertId }) => alertId === word);
    if (found === undefined) throw new Error(`there is no alert ${word}: npm run jobs lists them`);
    const { wasOpen } = await writer.resolveAlert({ accountId: found.accountId, alertId: found.alertId });
    process.stdout.write(`${found.alertId} ${wasOpen ? "is resolved" : "was resolved before"}\n`);
  } else if (command === "show") {
    const [{ queues }, deliveries, { alerts }] = await Promise.all([
      scheduler.listQueues({}),
      reader.countDeliveries({}),
      reader.listAlerts({ limit: ALERTS_MAX }),
    ]);
    const ageOf = (time: Parameters<typeof timestampMs>[0] | undefined) =>
      time === undefined ? undefined : systemClock.nowMs() - timestampMs(time);
    process.stdout.write(
      drawJobs({
        queues: queues.map((one) => ({ ...one, oldestAgeMs: ageOf(one.oldestTime) })),
        dueCount: deliveries.dueCount,
        deadCount: deliveries.deadCount,
        oldestAgeMs: ageOf(deliveries.oldestDueTime),
        alerts: alerts.map(({ createTime, resolveTime, ...alert }) => ({
          ...alert,
          ageMs: ageOf(createTime) ?? 0,
          resolvedAgeMs: ageOf(resolveTime),
        })),
      }),
    );
  } else {
    throw new Error("usage: npm run jobs, npm run jobs -- redrive [webhook|mail], npm run jobs -- resolve <alert>");
  }
} catch (error) {
  const words = error instanceof Error ? error.message : String(error);
  const hint = /ECONNREFUSED|ENOENT/.test(words) ? "; no Tripe runs there" : "";
  process.stderr.write(`${words}${hint}\n`);
  process.exitCode = 1;
}
