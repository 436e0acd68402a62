import { createHash } from "node:crypto";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { Invoice } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import {
  type RenderInvoiceRequest,
  RenderInvoiceRequestSchema,
  type RenderInvoiceResponseSchema,
} from "../../gen/tripe/pdf/v1/pdf_service_pb.ts";
import { assert, refuse } from "../_runtime/errors.ts";
import { checkAmounts } from "./amounts.ts";
import type { Renderer } from "./renderer.ts";

// A gRPC message holds at most 8 MiB, and SendInvoice carries the PDF and the invoice itself in one.
const PDF_MAX_BYTES = 6_291_456;

/**
 * Prints an invoice, with its digest. Refuses a draft (INVOICE_NOT_FINALIZED), an invoice without an end
 * (INVOICE_TOO_LARGE, above 6 MiB: some 200 pages) and one whose amounts are wrong (see `checkAmounts`).
 */
export async function renderInvoice(
  renderer: Renderer,
  request: RenderInvoiceRequest,
  signal: AbortSignal,
): Promise<MessageInitShape<typeof RenderInvoiceResponseSchema>> {
  const { invoice, seller } = request;
  // The contract requires both, and validation has refused what lacks one.
  assert(invoice !== undefined && seller !== undefined, "a request holds an invoice and a seller");
  checkFinalized(invoice);
  checkAmounts(invoice);
  // Only what is printed goes over: the account that asks changes nothing on the paper.
  const message = create(RenderInvoiceRequestSchema, { invoice, seller });
  const { pdf, pageCount } = await renderer.render(toBinary(RenderInvoiceRequestSchema, message), signal);
  if (pdf.length > PDF_MAX_BYTES) {
    refuse(Code.FailedPrecondition, "INVOICE_TOO_LARGE", `in print it has ${pdf.length} bytes`, "invoice.lines");
  }
  return { pdf, sha256: createHash("sha256").update(pdf).digest(), pageCount };
}

function checkFinalized({ number, finalizeTime }: Invoice): void {
  if (number !== "" && finalizeTime !== undefined) return;
  refuse(Code.FailedPrecondition, "INVOICE_NOT_FINALIZED", "a draft has no number and is not printed", "invoice");
}
