import { createClients, createTransports } from "../../services/_runtime/clients.ts";
import { systemClock as clock } from "../../services/_runtime/clock.ts";
import { readRunningConfig } from "../../services/_runtime/config.ts";
import { createGrpcTransport } from "../../services/_runtime/grpc-transport.ts";
import { silentLog as log } from "../../services/_runtime/log.ts";
import { openDialing } from "../../services/_runtime/security.ts";

/** Connects to the services of a running Tripe as the operator, by plain gRPC, which suits a few calls; its token stands in the data folder, its certificate in TRIPE_TLS_DIR. */
export async function connectOperator() {
  const config = readRunningConfig();
  const dialing = await openDialing("operator", { config, clock, log });
  const { transportFor, close } = createTransports(config.addresses, dialing, createGrpcTransport);
  const clients = createClients({ caller: "operator", clock, log, transportFor });
  return { clients, transportFor, close };
}
