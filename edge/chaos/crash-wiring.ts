import type { DescService } from "@bufbuild/protobuf";
import type { Client, ServiceImpl } from "@connectrpc/connect";
import { createServiceClient } from "../../services/_runtime/client.ts";
import { systemClock } from "../../services/_runtime/clock.ts";
import { type Config, readConfig } from "../../services/_runtime/config.ts";
import { createDirectTransport } from "../../services/_runtime/direct-transport.ts";
import { createHost, type Host } from "../../services/_runtime/host.ts";
import type { StartService } from "../../services/_runtime/hosting.ts";
import { loadContract } from "../../services/_runtime/load-contract.ts";
import { silentLog } from "../../services/_runtime/log.ts";
import { noClients } from "../../services/_runtime/no-clients.ts";
import { createSecret } from "../../services/_runtime/secret.ts";
import type { CallerName, ServiceName } from "../../services/_runtime/topology.ts";
import type { Order } from "./crash-order.ts";
import { prepareWork } from "./crash-work.ts";

const clock = systemClock;
const log = silentLog;

/**
 * Wires what the order's work needs into this process, over the direct transport; what it gives does the work. Loads that
 * and no more, gRPC least of all: hundreds of these processes start, each to die at once.
 */
export async function prepare(order: Order): Promise<() => Promise<unknown>> {
  const hosts = new Map<ServiceName, Host>();
  const serve = <D extends DescService>(name: ServiceName, service: D, implementation: Partial<ServiceImpl<D>>) =>
    hosts.set(name, createHost({ name, services: [{ service, implementation }] as const, log, clock }));
  const call = <D extends DescService>(caller: CallerName, name: ServiceName, service: D): Client<D> => {
    const transport = createDirectTransport({ host: () => hosts.get(name), clock, freeze: true });
    return createServiceClient(service, name, transport, { caller, clock, log });
  };
  const start = async <Name extends ServiceName>(name: Name, startIt: StartService<Name>) => {
    const config = configOf(name, order);
    return (await startIt({ config, log, clock, clients: noClients })).implementation;
  };
  const [reader, writer, bank, transactions, pdf, mailer] = await Promise.all([
    loadContract("reader"),
    loadContract("writer"),
    loadContract("bank"),
    loadContract("transactions"),
    loadContract("pdf"),
    loadContract("mailer"),
  ]);
  const [{ startReader }, { startWriter }, { startBank }, { createTransactions }] = await Promise.all([
    import("../../services/reader/start.ts"),
    import("../../services/writer/start.ts"),
    import("../../services/bank/start.ts"),
    import("../../services/transactions/service.ts"),
  ]);
  serve("reader", reader, await start("reader", startReader));
  serve("writer", writer, await start("writer", startWriter));
  serve("bank", bank, await start("bank", startBank));
  const called = { writer: call("transactions", "writer", writer), bank: call("transactions", "bank", bank) };
  serve("transactions", transactions, createTransactions({ clients: called, clock, log, random: Math.random }));
  const { work } = order;
  if (work.kind === "sweeps" && work.names.includes("mails")) {
    const [{ startPdf }, { startMailer }] = await Promise.all([
      import("../../services/pdf/start.ts"),
      import("../../services/mailer/start.ts"),
    ]);
    serve("pdf", pdf, await start("pdf", startPdf));
    serve("mailer", mailer, await start("mailer", startMailer));
  }
  const caller = work.kind === "sweeps" ? "scheduler" : "edge";
  const clients = {
    reader: call(caller, "reader", reader),
    writer: call(caller, "writer", writer),
    transactions: call(caller, "transactions", transactions),
    pdf: call(caller, "pdf", pdf),
    mailer: call(caller, "mailer", mailer),
  };
  return prepareWork(work, clients);
}

function configOf(name: ServiceName, { dataDir, acquirerAddress, acquirerPassword, urls }: Order): Config {
  const config = readConfig({
    TRIPE_DATA_DIR: dataDir,
    TRIPE_ACQUIRER_ADDRESS: acquirerAddress,
    TRIPE_ACQUIRER_PASSWORD: acquirerPassword,
  });
  const url = name === "reader" || name === "writer" ? urls[name] : undefined;
  return { ...config, databaseUrl: url === undefined ? undefined : createSecret(url) };
}
