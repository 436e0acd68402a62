import type { Config } from "../_runtime/config.ts";
import type { StartService } from "../_runtime/hosting.ts";
import type { Log } from "../_runtime/log.ts";
import { openJobs } from "./jobs.ts";
import { createScheduler } from "./service.ts";

/** Starts the scheduler, its sweeps, and the queue of mails where it has a database of its own. */
export const startScheduler: StartService<"scheduler"> = async ({ config, clients, clock, log }) => {
  const url = findUrl(config, log);
  return createScheduler({ clients, clock, log, ...(url !== undefined && { jobs: openJobs({ url, log, clock }) }) });
};

/** `npm start` gives this process the url of its own role. The queue is never opened as another: its tables would be theirs. */
function findUrl({ databaseUrl }: Config, log: Log): string | undefined {
  const url = databaseUrl?.reveal();
  if (url !== undefined && /^tripe_scheduler_[0-9]+$/.test(new URL(url).username)) return url;
  log.warn("DATABASE_URL is not the scheduler's: no mails are made of events");
  return undefined;
}
