import type { ServiceImpl } from "@connectrpc/connect";
import type { ReaderService } from "../../gen/tripe/reader/v1/reader_service_pb.ts";
import type { Database } from "../_database/connect.ts";
import { readInvoicing } from "./invoicing.ts";
import { readPayments } from "./payments.ts";
import { readWebhooks } from "./webhooks.ts";

/** Creates the reader: it reads, and changes nothing. */
export function createReader({ database }: { readonly database: Database }): ServiceImpl<typeof ReaderService> {
  return { ...readPayments(database.query), ...readInvoicing(database.query), ...readWebhooks(database.query) };
}
