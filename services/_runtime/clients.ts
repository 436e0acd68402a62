import type { DescService } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { BankService } from "../../gen/tripe/bank/v1/bank_service_pb.ts";
import { MailerService } from "../../gen/tripe/mailer/v1/mailer_service_pb.ts";
import { PdfService } from "../../gen/tripe/pdf/v1/pdf_service_pb.ts";
import { ReaderService } from "../../gen/tripe/reader/v1/reader_service_pb.ts";
import { SchedulerService } from "../../gen/tripe/scheduler/v1/scheduler_service_pb.ts";
import { TransactionsService } from "../../gen/tripe/transactions/v1/transactions_service_pb.ts";
import { WebhooksService } from "../../gen/tripe/webhooks/v1/webhooks_service_pb.ts";
import { WriterService } from "../../gen/tripe/writer/v1/writer_service_pb.ts";
import { type ClientOptions, createServiceClient } from "./client.ts";
import type { Config } from "./config.ts";
import type { Dialing } from "./dialing.ts";
import type { GrpcTransportOptions } from "./grpc-transport.ts";
import { createLaneTransport } from "./lane-transport.ts";
import { maxMessageBytesOf } from "./limits.ts";
import type { ServiceTransport } from "./service-transport.ts";
import type { CallerName, ServiceName, Topology } from "./topology.ts";

/** The contract of each service, by its name. */
export const contracts = {
  reader: ReaderService,
  writer: WriterService,
  pdf: PdfService,
  bank: BankService,
  scheduler: SchedulerService,
  transactions: TransactionsService,
  mailer: MailerService,
  webhooks: WebhooksService,
} as const satisfies Record<ServiceName, DescService>;

/** The contracts by the names of their services, as types: `loadContract` loads them one by one. */
export type Contracts = typeof contracts;

/** A Connect client of every service, whoever may call it. */
export type Clients = { readonly [N in ServiceName]: Client<Contracts[N]> };

/** The rpcs that the topology lists for a caller: a call of any other does not compile, and is refused. */
export type ClientsOf<Caller extends CallerName> = {
  readonly [Callee in keyof Topology[Caller] & ServiceName]: Pick<
    Clients[Callee],
    LocalNames<Topology[Caller][Callee]> & keyof Clients[Callee]
  >;
};

type LocalNames<Rpcs> = Rpcs extends readonly (infer Rpc extends string)[] ? Uncapitalize<Rpc> : never;

/** Makes the clients of a caller, over whatever transport the wiring chose for each service. */
export function createClients<Caller extends CallerName>(
  options: ClientOptions & {
    readonly caller: Caller;
    readonly transportFor: (name: ServiceName) => ServiceTransport;
  },
): ClientsOf<Caller> {
  const connect = <D extends DescService>(service: D, name: ServiceName): Client<D> =>
    createServiceClient(service, name, options.transportFor(name), options);
  const clients: Clients = {
    reader: connect(contracts.reader, "reader"),
    writer: connect(contracts.writer, "writer"),
    pdf: connect(contracts.pdf, "pdf"),
    bank: connect(contracts.bank, "bank"),
    scheduler: connect(contracts.scheduler, "scheduler"),
    transactions: connect(contracts.transactions, "transactions"),
    mailer: connect(contracts.mailer, "mailer"),
    webhooks: connect(contracts.webhooks, "webhooks"),
  };
  return clients;
}

/** Makes a transport to one service between processes: `createLaneTransport`, or `createGrpcTransport` for plain gRPC alone. */
export type Connect = (options: GrpcTransportOptions) => ServiceTransport;

/** Transports to the services, each made when first asked for, and all closed together. */
export function createTransports(
  addresses: Config["addresses"],
  dialing: Dialing,
  connect: Connect = createLaneTransport,
): {
  transportFor(name: ServiceName): ServiceTransport;
  close(): void;
} {
  const transports = new Map<ServiceName, ServiceTransport>();
  return {
    transportFor(name) {
      const known = transports.get(name);
      if (known !== undefined) return known;
      const transport = connect({
        name,
        addresses: addresses[name],
        dialing,
        maxMessageBytes: maxMessageBytesOf(name),
      });
      transports.set(name, transport);
      return transport;
    },
    close() {
      for (const transport of transports.values()) transport.close();
    },
  };
}
