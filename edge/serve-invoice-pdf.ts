import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { createCall, runCall } from "../services/_runtime/call.ts";
import { checkPdfSignature } from "../services/_views/pdf-link.ts";
import { clientOf } from "./client-address.ts";
import { createInvoicePdfs, type InvoicePdfs } from "./invoice-pdfs.ts";
import { REFUSAL_DELAY_MS } from "./rate-limiter.ts";
import { toProblem } from "./refusals.ts";
import { sendProblem } from "./respond.ts";
import type { Serving } from "./serve-route.ts";
import { pdfLinkEnded, urlUnrecognized } from "./url-problems.ts";

interface Link {
  readonly Params: { readonly accountId: string; readonly invoiceId: string; readonly signature: string };
}

// A page of print takes some 100 ms; what takes longer than this helps no browser.
const ANSWER_MS = 9_500;

/** Serves the links of `invoice_pdf`, which need no API key: a wrong one is a 404 like any other, one that has ended a 410. */
export function serveInvoicePdf(app: FastifyInstance, serving: Serving): void {
  const pdfs = createInvoicePdfs(serving);
  app.get<Link>("/invoices/:accountId/:invoiceId/:signature/pdf", async (request, reply) => {
    const { accountId, invoiceId, signature } = request.params;
    const link = { keys: serving.requestKeys, nowMs: serving.clock.nowMs() };
    const state = checkPdfSignature({ accountId, invoiceId }, signature, link);
    if (state === "wrong") return sendProblem(reply, urlUnrecognized(request.method, "/invoices"));
    if (state === "ended") return sendProblem(reply, pdfLinkEnded());
    return answer(serving, pdfs, request, reply);
  });
}

async function answer(
  { clock, log }: Serving,
  pdfs: InvoicePdfs,
  request: FastifyRequest<Link>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { accountId, invoiceId } = request.params;
  // Others may share the work: it goes on when the client that asked first is gone.
  const call = createCall(
    { caller: "client", requestId: request.id, clientKey: "", deadlineMs: clock.nowMs() + ANSWER_MS },
    clock,
  );
  try {
    const client = clientOf(request.ip);
    const { body, headers } = await runCall(call, () => pdfs.print({ accountId, invoiceId }, client));
    const isKnown = isMatch(request.headers["if-none-match"], String(headers["etag"]));
    return isKnown ? reply.code(304).headers(headers).send() : reply.headers(headers).send(body);
  } catch (error) {
    const problem = toProblem(error, { invoice: { id: invoiceId, param: "id" } });
    if (problem.status === 500) log.error("an invoice was not printed", problem.cause, { request_id: request.id });
    if (problem.status === 429 || problem.status === 503) await clock.sleep(REFUSAL_DELAY_MS);
    return sendProblem(reply, problem);
  }
}

/** Whether one of the tags of an If-None-Match is this one; a weak tag counts as a strong one (RFC 9110, 13.1.2). */
function isMatch(header: string | undefined, etag: string): boolean {
  const tags = (header ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes("*") || tags.includes(etag);
}
