import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { simpleParser } from "mailparser";
import { expect, onTestFinished, test, vi } from "vitest";
import { ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { InvoiceState } from "../../gen/tripe/billing/v1/invoice_pb.ts";
import { ReturnState } from "../../gen/tripe/billing/v1/return_pb.ts";
import { DisableReason } from "../../gen/tripe/billing/v1/webhook_endpoint_pb.ts";
import { DeliveryState } from "../../gen/tripe/mailer/v1/mailer_service_pb.ts";
import { systemClock } from "../_runtime/clock.ts";
import { refusalOf } from "../_runtime/errors.ts";
import { createFolderCarrier } from "./carry-to-folder.ts";
import { createMailerClient } from "./testing/client.ts";
import { invoiceRequest, receiptRequest, returnNoticeRequest, seller } from "./testing/requests.ts";

// Real sockets on a busy machine take their time; that is no reason to fail.
vi.setConfig({ testTimeout: 30_000 });

function setup() {
  const folder = mkdtempSync(join(tmpdir(), "tripe-mail-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const client = createMailerClient(createFolderCarrier(join(folder, "mail")), systemClock);
  const names = () => readdirSync(join(folder, "mail"));
  const bytes = () => names().map((name) => readFileSync(join(folder, "mail", name)));
  const parse = async () => {
    const [source] = bytes();
    if (source === undefined) throw new Error("no mail was written");
    return simpleParser(source);
  };
  return { folder, client, names, bytes, parse };
}

const refused = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => refusalOf(error),
  );

test("a receipt says who was paid how much, when and with which card, in text and in HTML", async () => {
  const { client, names, parse } = setup();
  const { messageId, deliveries } = await client.sendReceipt(receiptRequest());
  expect(deliveries).toMatchObject([{ recipient: "ann@example.com", state: DeliveryState.ACCEPTED }]);
  expect(names()).toEqual([`${messageId}.eml`]);
  const mail = await parse();
  expect(mail.messageId).toBe(`<${messageId}>`);
  expect(mail.subject).toBe("Your receipt from Kaffeerösterei Łódź: $12.50");
  expect(mail.from?.value).toEqual([{ name: "Kaffeerösterei Łódź", address: "billing@kaffee.example" }]);
  expect(mail.to).toMatchObject({ value: [{ address: "ann@example.com" }] });
  expect(mail.date).toEqual(new Date("2026-01-15T10:00:00Z"));
  expect(mail.headers.get("auto-submitted")).toBe("auto-generated");
  for (const body of [mail.text ?? "", mail.html || ""]) {
    for (const words of ["$12.50", "January 15, 2026", "Visa ending in 4242", "Espresso beans", "ch_1"]) {
      expect(body).toContain(words);
    }
  }
});

test("a return notice says what comes back and to which card", async () => {
  const { client, parse } = setup();
  await client.sendReturnNotice(returnNoticeRequest());
  const mail = await parse();
  expect(mail.subject).toBe("Kaffeerösterei Łódź has returned $5.00 to you");
  for (const body of [mail.text ?? "", mail.html || ""]) {
    for (const words of ["$5.00", "$12.50", "Visa ending in 4242", "re_1"]) expect(body).toContain(words);
  }
});

test("an invoice goes out with its PDF and a link", async () => {
  const { client, parse } = setup();
  const request = invoiceRequest();
  await client.sendInvoice(request);
  const mail = await parse();
  expect(mail.subject).toBe("Invoice KAFFEE-0001 from Kaffeerösterei Łódź");
  expect(mail.text).toContain("€60.00 due February 14, 2026");
  expect(mail.html).toContain('href="https://pay.example/in_1?a=1&#38;b=2"');
  expect(mail.attachments).toMatchObject([{ filename: "Invoice-KAFFEE-0001.pdf", contentType: "application/pdf" }]);
  expect(mail.attachments[0]?.content).toEqual(Buffer.from(request.pdf));
});

test("names cannot become HTML, headers or file names", async () => {
  const { client, parse, bytes, names } = setup();
  const request = invoiceRequest();
  request.seller = { ...seller, name: '<script>alert("x")</script>\r\nBcc: eve@example.com\u202e' };
  if (request.invoice !== undefined) request.invoice.number = "../../A\r\nX-Evil: 1";
  if (request.invoice !== undefined) request.invoice.description = "<img src=x onerror=alert(1)>\nsecond line";
  await client.sendInvoice(request);
  const mail = await parse();
  expect(mail.html).not.toMatch(/<script|<img|onerror=alert\(1\)>/);
  expect(mail.html).toContain("&#60;img src=x onerror=alert(1)&#62;<br>second line");
  expect(mail.bcc).toBeUndefined();
  expect(mail.headers.has("x-evil")).toBe(false);
  expect(mail.subject).toBe('Invoice ../../A X-Evil: 1 from <script>alert("x")</script> Bcc: eve@example.com');
  expect(mail.attachments[0]?.filename).toBe("Invoice-..-..-A--X-Evil--1.pdf");
  const [header] = bytes()[0]?.toString("latin1").split("\r\n\r\n") ?? [];
  expect(header).not.toMatch(/^(bcc|x-evil):/im);
  expect(names()).toHaveLength(1);
});

test("a mail sent twice is one file with the same bytes, and another request is another mail", async () => {
  const { client, names, bytes } = setup();
  const first = await client.sendInvoice(invoiceRequest());
  const [before] = bytes();
  const second = await client.sendInvoice(invoiceRequest());
  expect(second.messageId).toBe(first.messageId);
  expect(bytes()).toEqual([before]);
  const other = await client.sendInvoice({ ...invoiceRequest(), requestId: "in_1/sent/2" });
  expect(other.messageId).not.toBe(first.messageId);
  const elsewhere = await client.sendInvoice({ ...invoiceRequest(), accountId: "acct_2" });
  expect(new Set([first, other, elsewhere].map(({ messageId }) => messageId)).size).toBe(3);
  expect(names()).toHaveLength(3);
});

test("a folder that cannot be written to is a fault, and leaves nothing half", async () => {
  const { client, folder } = setup();
  writeFileSync(join(folder, "mail"), "a file where the folder should be");
  await expect(client.sendReceipt(receiptRequest())).rejects.toMatchObject({ code: Code.Internal });
  expect(readdirSync(folder)).toEqual(["mail"]);
});

test.each([
  ["no at", "ann.example.com"],
  ["a line break", "ann@example.com\r\nRCPT TO:<eve@example.com>"],
  ["two addresses", "ann@example.com, eve@example.com"],
  ["brackets", "<ann@example.com>"],
  ["a space", "ann smith@example.com"],
  ["too many letters", `${"a".repeat(64)}@${"b".repeat(200)}.com`],
  ["an empty part", "ann@example..com"],
])("a recipient with %s fails alone", async (_what, address) => {
  const { client, parse } = setup();
  const { deliveries } = await client.sendReceipt({ ...receiptRequest(), recipients: [address, "bob@example.com"] });
  expect(deliveries).toMatchObject([
    { recipient: address, state: DeliveryState.FAILED, reply: "not an email address" },
    { recipient: "bob@example.com", state: DeliveryState.ACCEPTED },
  ]);
  expect((await parse()).to).toMatchObject({ text: "bob@example.com" });
});

test("a mail nobody can get is not sent at all", async () => {
  const { client, folder } = setup();
  const { deliveries } = await client.sendReceipt({ ...receiptRequest(), recipients: ["nobody"] });
  expect(deliveries).toMatchObject([{ state: DeliveryState.FAILED }]);
  expect(readdirSync(folder)).toEqual([]);
});

test("a seller without an address of its own writes from one that leads nowhere", async () => {
  const { client, parse } = setup();
  await client.sendReceipt({ ...receiptRequest(), seller: { ...seller, email: "" } });
  expect((await parse()).from?.value[0]?.address).toBe("no-reply@tripe.invalid");
});

test("only what is true is told: each refusal has its reason", async () => {
  const { client } = setup();
  const receipt = receiptRequest();
  if (receipt.charge !== undefined) receipt.charge.state = ChargeState.PENDING;
  expect(await refused(client.sendReceipt(receipt))).toMatchObject({ reason: "CHARGE_NOT_SUCCEEDED" });
  const pending = returnNoticeRequest();
  if (pending.return !== undefined) pending.return.state = ReturnState.PENDING;
  expect(await refused(client.sendReturnNotice(pending))).toMatchObject({ reason: "RETURN_NOT_SUCCEEDED" });
  const foreign = returnNoticeRequest();
  if (foreign.return !== undefined) foreign.return.chargeId = "ch_2";
  expect(await refused(client.sendReturnNotice(foreign))).toMatchObject({ reason: "RETURN_OF_OTHER_CHARGE" });
  const draft = invoiceRequest();
  if (draft.invoice !== undefined) draft.invoice.state = InvoiceState.DRAFT;
  expect(await refused(client.sendInvoice(draft))).toMatchObject({ reason: "INVOICE_NOT_FINALIZED" });
  const html = { ...invoiceRequest(), pdf: new TextEncoder().encode("<html>") };
  expect(await refused(client.sendInvoice(html))).toMatchObject({ reason: "PDF_MALFORMED", field: "pdf" });
  for (const url of ["javascript:alert(1)", "not a link"]) {
    expect(await refused(client.sendInvoice({ ...invoiceRequest(), url }))).toMatchObject({ reason: "URL_MALFORMED" });
  }
});

test.each([
  [DisableReason.GONE, "410"],
  [DisableReason.FAILING, "three days"],
  [DisableReason.REFUSED, "is not public"],
])(
  "an endpoint's notice says which one hears of nothing any more, since when and why: %i, %s",
  async (disableReason, why) => {
    const { client, parse } = setup();
    const endpoint = { webhookEndpointId: "we_1", url: "https://shop.example/hook", disableReason };
    await client.sendEndpointNotice({
      ...{ accountId: "acct_1", requestId: "we_1/disabled/1", seller, recipients: ["owner@shop.example"] },
      webhookEndpoint: endpoint,
      disableTime: timestampFromMs(Date.UTC(2026, 0, 15)),
    });
    const { subject, text } = await parse();
    expect(subject).toBe("Your webhook endpoint was disabled");
    for (const words of ["https://shop.example/hook", why, "January 15, 2026", "we_1"]) expect(text).toContain(words);
  },
);
