import type { Contracts } from "./clients.ts";
import type { ServiceName } from "./topology.ts";

// Each by itself: reading all contracts is a quarter of the start of a process that needs its own alone.
const loads: { readonly [Name in ServiceName]: () => Promise<Contracts[Name]> } = {
  reader: async () => (await import("../../gen/tripe/reader/v1/reader_service_pb.ts")).ReaderService,
  writer: async () => (await import("../../gen/tripe/writer/v1/writer_service_pb.ts")).WriterService,
  pdf: async () => (await import("../../gen/tripe/pdf/v1/pdf_service_pb.ts")).PdfService,
  bank: async () => (await import("../../gen/tripe/bank/v1/bank_service_pb.ts")).BankService,
  scheduler: async () => (await import("../../gen/tripe/scheduler/v1/scheduler_service_pb.ts")).SchedulerService,
  transactions: async () =>
    (await import("../../gen/tripe/transactions/v1/transactions_service_pb.ts")).TransactionsService,
  mailer: async () => (await import("../../gen/tripe/mailer/v1/mailer_service_pb.ts")).MailerService,
  webhooks: async () => (await import("../../gen/tripe/webhooks/v1/webhooks_service_pb.ts")).WebhooksService,
};

/** Loads the contract of one service, and of no other. */
export function loadContract<Name extends ServiceName>(name: Name): Promise<Contracts[Name]> {
  return loads[name]();
}
