import type { ServiceImpl } from "@connectrpc/connect";
import type { ReportBrowserKeyRequest } from "../../gen/tripe/writer/v1/alerts_pb.ts";
import type { WriterService } from "../../gen/tripe/writer/v1/writer_service_pb.ts";
import { raiseAlertOnce } from "./alerts.ts";
import type { WriterDependencies } from "./answers.ts";

/** A live account only: test cards are there to be declined. */
const COUNT_DECLINES = {
  name: "count_declines",
  text: `select count(*)::int as total, (count(*) filter (where c.state = 'failed'))::int as failed
    from account a cross join lateral (
      select state from charge where account_id = a.account_id and state <> 'pending'
      order by create_time desc, charge_id desc limit 100
    ) c
    where a.account_id = $1 and a.is_live`,
};

/** Fewer charges than this say nothing; of so many, half declined is ten times what shops see. */
const CHARGES_MIN = 100;
const FAILED_MIN = 50;

/** The rpc that raises an alert of misuse. */
export function writeMisuseAlerts(dependencies: WriterDependencies) {
  return {
    reportBrowserKey: (request) => reportBrowserKey(dependencies, request),
  } satisfies Partial<ServiceImpl<typeof WriterService>>;
}

async function reportBrowserKey({ database }: WriterDependencies, { accountId, apiKeyId }: ReportBrowserKeyRequest) {
  const details = { todo: "roll the key, and give pages a publishable one" };
  await raiseAlertOnce(database.query, { accountId, reason: "SECRET_KEY_IN_BROWSER", objectId: apiKeyId, details });
  return {};
}

/** Raises an alert, once while it is open, when half of a live account's last 100 charges failed. */
export async function checkDeclines({ database }: WriterDependencies, accountId: string): Promise<void> {
  const [row] = await database.query<{ total: number; failed: number }>(COUNT_DECLINES, [accountId]);
  const { total, failed } = row ?? { total: 0, failed: 0 };
  const isHigh = total >= CHARGES_MIN && failed >= FAILED_MIN;
  const details = { failed: String(failed), of: String(total) };
  if (isHigh)
    await raiseAlertOnce(database.query, { accountId, reason: "DECLINES_HIGH", objectId: accountId, details });
}
