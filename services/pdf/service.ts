import type { ServiceImpl } from "@connectrpc/connect";
import type { PdfService } from "../../gen/tripe/pdf/v1/pdf_service_pb.ts";
import { renderInvoice } from "./render-invoice.ts";
import type { Renderer } from "./renderer.ts";

/** Makes the pdf service: what it needs is somebody who prints. */
export function createPdf({ renderer }: { renderer: Renderer }): ServiceImpl<typeof PdfService> {
  return {
    renderInvoice: (request, context) => renderInvoice(renderer, request, context.signal),
  };
}
