import type { Client } from "@connectrpc/connect";
import { MailerService } from "../../../gen/tripe/mailer/v1/mailer_service_pb.ts";
import type { Clock } from "../../_runtime/clock.ts";
import { createDirectTransport } from "../../_runtime/direct-transport.ts";
import { createHost } from "../../_runtime/host.ts";
import { silentLog } from "../../_runtime/log.ts";
import { createRightfulClient } from "../../_runtime/testing/rightful-client.ts";
import type { Carrier } from "../carrier.ts";
import { createSender } from "../send.ts";
import { createMailer } from "../service.ts";

/** Makes a client of a mailer over a carrier, in this process, with everything a call between services goes through. */
export function createMailerClient(carrier: Carrier, clock: Clock): Client<typeof MailerService> {
  const implementation = createMailer({ send: createSender({ carrier, clock }) });
  const services = [{ service: MailerService, implementation }] as const;
  const host = createHost({ name: "mailer", services, log: silentLog, clock });
  const transport = createDirectTransport({ host: () => host, clock, freeze: true });
  return createRightfulClient(MailerService, "mailer", transport, { clock, log: silentLog });
}
