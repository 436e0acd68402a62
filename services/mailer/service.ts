import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type { MailerService } from "../../gen/tripe/mailer/v1/mailer_service_pb.ts";
import type { Send } from "./send.ts";
import type { ServerState } from "./server-watch.ts";
import { writeEndpointNotice } from "./write-endpoint-notice.ts";
import { writeInvoice } from "./write-invoice.ts";
import { writeReceipt } from "./write-receipt.ts";
import { writeReturnNotice } from "./write-return-notice.ts";

/** What the mailer stands on; without `serverState` its mails go into a folder, which is never away. */
export interface MailerDependencies {
  readonly send: Send;
  readonly serverState?: () => ServerState;
}

/** Makes the mailer service: each rpc writes its mail, then all of them send in the same way. */
export function createMailer({ send, serverState }: MailerDependencies): ServiceImpl<typeof MailerService> {
  return {
    sendReceipt: (request, context) => send(writeReceipt(request), request, context),
    sendReturnNotice: (request, context) => send(writeReturnNotice(request), request, context),
    sendInvoice: (request, context) => send(writeInvoice(request), request, context),
    sendEndpointNotice: (request, context) => send(writeEndpointNotice(request), request, context),
    getStatus: () => {
      const { problem, problemMs } = serverState?.() ?? { problem: "", problemMs: 0 };
      return { problem, ...(problem !== "" && { problemTime: timestampFromMs(problemMs) }) };
    },
  };
}
