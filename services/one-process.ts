import { startEdge } from "../edge/start.ts";
import { createCoLocated } from "./_supervisor/co-located.ts";
import { startBank } from "./bank/start.ts";
import { startMailer } from "./mailer/start.ts";
import { startPdf } from "./pdf/start.ts";
import { startReader } from "./reader/start.ts";
import { startScheduler } from "./scheduler/start.ts";
import { startTransactions } from "./transactions/start.ts";
import { startWebhooks } from "./webhooks/start.ts";
import { startWriter } from "./writer/start.ts";

/** The wiring of `npm start -- --one-process`: every service and the edge in the process that asks for it. */
export const startOneProcess = createCoLocated({
  startEdge,
  starts: {
    reader: startReader,
    writer: startWriter,
    pdf: startPdf,
    bank: startBank,
    scheduler: startScheduler,
    transactions: startTransactions,
    mailer: startMailer,
    webhooks: startWebhooks,
  },
});
