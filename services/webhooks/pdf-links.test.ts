import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { expect, onTestFinished, test } from "vitest";
import { EventSchema } from "../../gen/tripe/billing/v1/event_pb.ts";
import { systemClock } from "../_runtime/clock.ts";
import { readConfig } from "../_runtime/config.ts";
import { makeKeyFiles, openKeys } from "../_runtime/key-files.ts";
import { keyFile } from "../_runtime/key-ring.ts";
import { checkPdfSignature } from "../_views/pdf-link.ts";
import { sampleInvoice } from "../_views/testing-billing.ts";
import { createPdfLinks } from "./pdf-links.ts";
import { createWebhooksClient, endpointOf, reachOf } from "./testing/client.ts";
import { startMerchant } from "./testing/merchant.ts";

/** Delivers an event of an invoice, and answers the link in what arrives. */
async function deliverInvoice(env: Record<string, string>) {
  const dataDir = await mkdtemp(join(tmpdir(), "tripe-links-"));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  await makeKeyFiles(dataDir);
  const merchant = await startMerchant((_request, response) => void response.end());
  onTestFinished(() => merchant.close());
  const config = readConfig({ TRIPE_DATA_DIR: dataDir, ...env });
  const client = createWebhooksClient({
    clock: systemClock,
    lookup: () => Promise.reject(new Error("no names here")),
    reach: reachOf(true),
    invoicePdfUrl: createPdfLinks(config, systemClock),
  });
  const invoice = sampleInvoice();
  const { body } = await client.deliverEvent({
    accountId: "acct_1",
    requestId: "evt_1/we_1/1",
    ...endpointOf(["whsec_0123456789"]),
    url: `http://127.0.0.1:${merchant.port}/`,
    event: create(EventSchema, {
      eventId: "evt_1",
      type: "invoice.finalized",
      createTime: { seconds: 1n },
      snapshot: { noun: { case: "invoice", value: invoice } },
    }),
  });
  const { data } = JSON.parse(new TextDecoder().decode(body));
  const keys = openKeys({ kind: "request", file: keyFile(dataDir, "request"), clock: systemClock });
  return { link: data.object.invoice_pdf, keys, invoice };
}

test("an event of an invoice carries its link, which the edge takes, where the public URL is known", async () => {
  const { link, keys, invoice } = await deliverInvoice({ TRIPE_PUBLIC_URL: "https://pay.example.com" });
  const [, origin, account, id, signature = ""] = /^(.*)\/invoices\/(\w+)\/(\w+)\/([\w.-]+)\/pdf$/.exec(link) ?? [];
  expect([origin, account, id]).toEqual(["https://pay.example.com", "acct_1", invoice.invoiceId]);
  const name = { accountId: "acct_1", invoiceId: invoice.invoiceId };
  expect(checkPdfSignature(name, signature, { keys, nowMs: systemClock.nowMs() })).toBe("good");
});

test("without a public URL it carries none", async () => {
  expect((await deliverInvoice({})).link).toBeNull();
});
