import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { createCall, runCall } from "../services/_runtime/call.ts";
import { printInvoice } from "./actions/invoices/print-invoice.ts";
import { isSignedPdf } from "./pdf-links.ts";
import { urlUnrecognized } from "./problems.ts";
import { toProblem } from "./refusals.ts";
import { sendProblem } from "./respond.ts";
import type { Serving } from "./serve-route.ts";

interface Link {
  readonly Params: { readonly accountId: string; readonly invoiceId: string; readonly signature: string };
}

// A page of print takes some 100 ms; what takes longer than this helps no browser.
const ANSWER_MS = 9_500;

/** Serves the links of `invoice_pdf`, which need no API key: a wrong one is a 404 like any other. */
export function serveInvoicePdf(app: FastifyInstance, serving: Serving): void {
  app.get<Link>("/invoices/:accountId/:invoiceId/:signature/pdf", async (request, reply) => {
    const { accountId, invoiceId, signature } = request.params;
    if (!isSignedPdf({ accountId, invoiceId }, signature, serving.requestKeys)) {
      return sendProblem(reply, urlUnrecognized(request.method, "/invoices"));
    }
    return answer(serving, request, reply);
  });
}

async function answer(serving: Serving, request: FastifyRequest<Link>, reply: FastifyReply): Promise<FastifyReply> {
  const { clients, clock, places, log } = serving;
  const { accountId, invoiceId } = request.params;
  const giveUp = new AbortController();
  reply.raw.once("close", () => giveUp.abort());
  const deadlineMs = clock.nowMs() + ANSWER_MS;
  const call = createCall(
    { caller: "client", requestId: request.id, clientKey: "", deadlineMs, signal: giveUp.signal },
    clock,
  );
  try {
    const leave = places.enter(accountId);
    try {
      const { body, headers } = await runCall(call, () => printInvoice(clients, { accountId, invoiceId }));
      return reply.headers(headers).send(body);
    } finally {
      leave();
    }
  } catch (error) {
    const problem = toProblem(error, { invoice: { id: invoiceId, param: "id" } });
    if (problem.status === 500) log.error("an invoice was not printed", problem.cause, { request_id: request.id });
    return sendProblem(reply, problem);
  }
}
