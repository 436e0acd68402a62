import { parentPort } from "node:worker_threads";
import { fromBinary } from "@bufbuild/protobuf";
import { RenderInvoiceRequestSchema } from "../../gen/tripe/pdf/v1/pdf_service_pb.ts";
import { assert } from "../_runtime/errors.ts";
import { printInvoice } from "./print-invoice.ts";
import type { RenderAnswer } from "./renderer.ts";

// The thread that prints: one invoice in, one PDF out, one after the other. It knows nothing of calls or clocks.
assert(parentPort !== null, "the printing thread has a parent");
const port = parentPort;
port.on("message", async (request: Uint8Array) => {
  port.postMessage(await answer(request));
});

async function answer(request: Uint8Array): Promise<RenderAnswer> {
  try {
    const { invoice, seller } = fromBinary(RenderInvoiceRequestSchema, request);
    assert(invoice !== undefined && seller !== undefined, "a request holds an invoice and a seller");
    return { printed: await printInvoice(invoice, seller) };
  } catch (error) {
    return { error };
  }
}
