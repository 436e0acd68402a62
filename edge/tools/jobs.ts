import { timestampMs } from "@bufbuild/protobuf/wkt";
import { systemClock } from "../../services/_runtime/clock.ts";
import { drawJobs } from "./draw-jobs.ts";
import { connectOperator } from "./operator.ts";

// npm run jobs
// npm run jobs -- redrive [webhook|mail]
// Shows the queues of a running Tripe, what has died in them and the open alerts; or has what died tried again. Asked of the
// services, as a person: what a job is made of stays in the database.
try {
  const { clients, close } = await connectOperator();
  process.once("beforeExit", close);
  const { scheduler, reader } = clients;
  const [command = "show", queue = "webhook"] = process.argv.slice(2);
  if (command === "redrive") {
    const { redrivenCount } = await scheduler.redriveQueue({ queue });
    process.stdout.write(`${redrivenCount} of ${queue} are tried again\n`);
  } else if (command === "show") {
    const [{ queues }, deliveries, { counts }] = await Promise.all([
      scheduler.listQueues({}),
      reader.countDeliveries({}),
      reader.countAlerts({}),
    ]);
    const ageOf = (time: Parameters<typeof timestampMs>[0] | undefined) =>
      time === undefined ? undefined : systemClock.nowMs() - timestampMs(time);
    process.stdout.write(
      drawJobs({
        queues: queues.map((one) => ({ ...one, oldestAgeMs: ageOf(one.oldestTime) })),
        dueCount: deliveries.dueCount,
        deadCount: deliveries.deadCount,
        oldestAgeMs: ageOf(deliveries.oldestDueTime),
        alerts: counts,
      }),
    );
  } else {
    throw new Error("usage: npm run jobs, or npm run jobs -- redrive [webhook|mail]");
  }
} catch (error) {
  const words = error instanceof Error ? error.message : String(error);
  const hint = /ECONNREFUSED|ENOENT/.test(words) ? "; no Tripe runs there" : "";
  process.stderr.write(`${words}${hint}\n`);
  process.exitCode = 1;
}
