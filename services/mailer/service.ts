import type { ServiceImpl } from "@connectrpc/connect";
import type { MailerService } from "../../gen/tripe/mailer/v1/mailer_service_pb.ts";
import type { Send } from "./send.ts";
import { writeEndpointNotice } from "./write-endpoint-notice.ts";
import { writeInvoice } from "./write-invoice.ts";
import { writeReceipt } from "./write-receipt.ts";
import { writeReturnNotice } from "./write-return-notice.ts";

/** Makes the mailer service: each rpc writes its mail, then all of them send in the same way. */
export function createMailer({ send }: { send: Send }): ServiceImpl<typeof MailerService> {
  return {
    sendReceipt: (request, context) => send(writeReceipt(request), request, context),
    sendReturnNotice: (request, context) => send(writeReturnNotice(request), request, context),
    sendInvoice: (request, context) => send(writeInvoice(request), request, context),
    sendEndpointNotice: (request, context) => send(writeEndpointNotice(request), request, context),
  };
}
