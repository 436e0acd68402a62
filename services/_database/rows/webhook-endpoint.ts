import { create } from "@bufbuild/protobuf";
import { type WebhookEndpoint, WebhookEndpointSchema } from "../../../gen/tripe/billing/v1/webhook_endpoint_pb.ts";
import { timestampOf } from "./fields.ts";
import { disableReasons } from "./words.ts";

/** The columns of an endpoint, from `webhook_endpoint w` and `account a`. */
export const webhookEndpointColumns = `w.webhook_endpoint_id, w.url, w.event_types, w.description, w.metadata,
  w.disable_reason, w.create_time, w.api_version, w.delivered_count, w.failed_count, w.last_failure_time,
  w.last_failure_status, w.last_failure_problem, a.is_live`;

/** A row of `webhookEndpointColumns`. */
export interface WebhookEndpointRow {
  readonly webhook_endpoint_id: string;
  readonly url: string;
  readonly event_types: string[];
  readonly description: string;
  readonly metadata: Record<string, string>;
  readonly disable_reason: string | null;
  readonly create_time: Date;
  readonly api_version: string;
  readonly delivered_count: bigint;
  readonly failed_count: bigint;
  readonly last_failure_time: Date | null;
  readonly last_failure_status: number;
  readonly last_failure_problem: string;
  readonly is_live: boolean;
}

/** The endpoint of a row. */
export function webhookEndpointOf(row: WebhookEndpointRow): WebhookEndpoint {
  return create(WebhookEndpointSchema, {
    webhookEndpointId: row.webhook_endpoint_id,
    url: row.url,
    eventTypes: row.event_types,
    description: row.description,
    metadata: row.metadata,
    isDisabled: row.disable_reason !== null,
    ...(row.disable_reason !== null && { disableReason: disableReasons.of(row.disable_reason) }),
    createTime: timestampOf(row.create_time),
    isLive: row.is_live,
    apiVersion: row.api_version,
    deliveredCount: row.delivered_count,
    failedCount: row.failed_count,
    ...(row.last_failure_time !== null && {
      lastFailure: {
        time: timestampOf(row.last_failure_time),
        status: row.last_failure_status,
        problem: row.last_failure_problem,
      },
    }),
  });
}
