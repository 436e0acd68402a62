import { X509Certificate } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { Agent } from "node:https";
import { join } from "node:path";
import { connect } from "node:tls";
import Stripe from "stripe";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../services/_runtime/clock.ts";
import { edgeActions } from "../services/_runtime/config.ts";
import { createMemoryLog } from "../services/_runtime/testing/memory-log.ts";
import { createTestFolder } from "../services/_runtime/testing/test-folder.ts";
import { type Certified, createAuthority } from "../services/bank/testing/certificates.ts";
import { openCertificate } from "./server-certificate.ts";
import { addKey } from "./testing/keys.ts";
import { listenOn, openSocket, type RawClient } from "./testing/sockets.ts";
import { type EdgeSettings, startBench } from "./testing/tripe.ts";

// The edge's own TLS: TRIPE_TLS_CERT and TRIPE_TLS_KEY.
const authority = createAuthority("a merchant's own authority");
const certificate = authority.issue("localhost");
const bench = await startBench();
const liveKey = "sk_live_tls123456789";
await addKey(bench.tripe.database.urls.owner, { accountId: bench.tripe.liveAccountId, text: liveKey });
const FLOODER = "127.0.0.2";

async function setup(connectionLimits: EdgeSettings["connectionLimits"] = {}, settings: EdgeSettings = {}) {
  const { app } = bench.edgeOf(edgeActions, { certificate, connectionLimits, ...settings });
  const port = await listenOn(app);
  const flood = (count: number) => Promise.all(Array.from({ length: count }, () => openSocket(port, FLOODER)));
  return { app, port, flood, open: (from?: string) => openSocket(port, from, authority.cert) };
}

const withKey = `authorization: Bearer ${bench.tripe.secretKey}\r\n`;
const get = (url: string, headers = "") => `GET ${url} HTTP/1.1\r\nhost: localhost\r\n${headers}\r\n`;
const list = (client: RawClient) => client.send(get("/v1/charges?limit=1", withKey), /"has_more"/);
const fingerprintOf = ({ cert }: Certified) => new X509Certificate(cert).fingerprint256;
const isOpen = ({ socket }: RawClient) => !socket.destroyed;
const settle = () => systemClock.sleep(100);

test("the official SDK charges over HTTPS, and links lead there", async () => {
  const { port } = await setup();
  const httpAgent = new Agent({ ca: authority.cert, keepAlive: true });
  onTestFinished(() => httpAgent.destroy());
  const stripe = new Stripe(bench.tripe.secretKey, { host: "localhost", port, protocol: "https", httpAgent });
  const customer = await stripe.customers.create({ source: "tok_visa" });
  const charge = await stripe.charges.create({ amount: 900, currency: "usd", customer: customer.id });
  expect(charge).toMatchObject({ paid: true, amount: 900 });
  await stripe.invoiceItems.create({ customer: customer.id, amount: 1_000, currency: "usd" });
  const draft = await stripe.invoices.create({ customer: customer.id });
  const { invoice_pdf: link } = await stripe.invoices.finalizeInvoice(draft.id);
  expect(link).toContain(`https://localhost:${port}/invoices/`);
  const stranger = new Stripe(bench.tripe.secretKey, { host: "localhost", port, protocol: "https" });
  await expect(stranger.balance.retrieve({}, { maxNetworkRetries: 0 })).rejects.toThrow("connection");
});

test("live keys and card numbers are taken over the edge's own TLS, whatever an unknown proxy adds", async () => {
  const typed = "card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2034&card[cvc]=314";
  const head = `authorization: Bearer ${liveKey}\r\nvia: 1.1 somewhere\r\ncontent-type: application/x-www-form-urlencoded\r\n`;
  const post = `POST /v1/tokens HTTP/1.1\r\nhost: localhost\r\n${head}content-length: ${typed.length}\r\n\r\n${typed}`;
  const { open } = await setup();
  expect(await (await open()).send(post, /"livemode"/)).toMatch(/ 200 OK[\s\S]*"livemode": ?true/);
  const plain = await openSocket(await listenOn(bench.app));
  expect(await plain.send(post, /"error"/)).toContain("over HTTPS only");
  // Its first hop was in clear, as a proxy says that is trusted.
  const behind = await setup({}, { trustedProxies: ["127.0.0.1"] });
  const forwarded = post.replace("via: 1.1 somewhere", "x-forwarded-proto: http\r\nx-forwarded-for: 203.0.113.9");
  expect(await (await behind.open()).send(forwarded, /"error"/)).toContain("over HTTPS only");
});

test("idle sockets without a handshake close their client's oldest and no merchant's, and end by themselves", async () => {
  const { open, flood } = await setup({ ofClientMax: 10, handshakeMs: 1_500 });
  const merchant = await open();
  await list(merchant);
  const sockets = await flood(30);
  await expect.poll(() => sockets.filter(isOpen).length).toBe(10);
  const behind = await open(FLOODER);
  await list(behind);
  const more = await flood(30);
  await expect.poll(() => more.filter(isOpen).length).toBe(9);
  for (const client of [merchant, behind]) expect(await list(client)).toContain("200 OK");
  await Promise.all(more.map(({ closed }) => closed));
  // Their places are free again.
  const later = await flood(9);
  await settle();
  expect(later.every(isOpen)).toBe(true);
  expect(await list(behind)).toContain("200 OK");
});

test("when all connections are taken a new merchant gets in, and places are left for health", async () => {
  const { open, flood } = await setup({ max: 20 });
  const merchant = await open();
  await list(merchant);
  const sockets = await flood(60);
  await expect.poll(() => sockets.filter(isOpen).length).toBe(19);
  expect(await (await open()).send(get("/livez"), /edge serving/)).toContain("200 OK");
  for (const client of [merchant, await open()]) expect(await list(client)).toContain("200 OK");
});

test("an idle connection is kept for a short time until a good key has come, as without TLS", async () => {
  const { open, app } = await setup({ strangerIdleMs: 300 });
  const [stranger, merchant] = await Promise.all([open(), open()]);
  expect(await stranger.send(get("/livez"), /edge serving/)).toMatch(/keep-alive: timeout=0.3/i);
  expect(await list(merchant)).toMatch(/keep-alive: timeout=72/i);
  await stranger.closed;
  await systemClock.sleep(300);
  expect(await list(merchant)).toContain("200 OK");
  const { headersTimeout, requestTimeout, keepAliveTimeout } = app.server;
  expect([headersTimeout, requestTimeout, keepAliveTimeout]).toEqual([5_000, 10_000, 72_000]);
});

test("plain HTTP is refused in words, other bytes are cut off, and broken HTTP over TLS has its envelope", async () => {
  const { open, port } = await setup();
  const plain = await openSocket(port);
  plain.socket.write(get("/v1/charges", withKey));
  const answer = await plain.closed;
  expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\n[\s\S]*request-id: req_/);
  expect(answer).toContain("Tripe speaks HTTPS here");
  const garbage = await openSocket(port);
  garbage.socket.write("\x01\x02garbage\r\n\r\n");
  expect(await garbage.closed).toBe("");
  expect(await (await open()).send("NONSENSE\r\n\r\n", /"error"/)).toMatch(/^HTTP\/1.1 400 [\s\S]*request-id: req_/);
  expect(await (await open()).send(get("/livez"), /edge serving/)).toContain("200 OK");
});

/** The protocol and the certificate that a server shows, or the code of its refusal. */
function shake(port: number, maxVersion: "TLSv1.1" | "TLSv1.2" | "TLSv1.3") {
  return new Promise<{ protocol: string; fingerprint: string }>((resolve) => {
    const options = { minVersion: "TLSv1" as const, maxVersion, ciphers: "DEFAULT@SECLEVEL=0", ca: authority.cert };
    const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ...options });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve({ protocol: String(error.code), fingerprint: "" }));
    socket.once("secureConnect", () => {
      const { fingerprint256: fingerprint } = socket.getPeerCertificate();
      resolve({ protocol: socket.getProtocol() ?? "", fingerprint });
    });
    onTestFinished(() => void socket.destroy());
  });
}

test("TLS 1.2 and 1.3 are spoken, and nothing older", async () => {
  const { port } = await setup();
  expect((await shake(port, "TLSv1.3")).protocol).toBe("TLSv1.3");
  expect((await shake(port, "TLSv1.2")).protocol).toBe("TLSv1.2");
  expect((await shake(port, "TLSv1.1")).protocol).toMatch(/PROTOCOL_VERSION/);
});

test("a renewed certificate is shown to new connections; a file that cannot be used is logged once and changes nothing", async () => {
  const folder = await createTestFolder("tripe-edge-tls-");
  // One file may hold both.
  const file = join(folder, "edge.pem");
  const files = { certFile: file, keyFile: file };
  const replace = async (text: string) => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  await replace(certificate.cert + certificate.key);
  const { app, port, open } = await setup();
  const log = createMemoryLog();
  const opened = await openCertificate({ files, clock: systemClock, log, refreshMs: 20 });
  onTestFinished(opened.close);
  opened.renewOn(app.server);
  const fingerprint = async () => (await shake(port, "TLSv1.3")).fingerprint;
  expect(await fingerprint()).toBe(fingerprintOf(certificate));
  const before = await open();
  await list(before);

  const next = authority.issue("localhost");
  await replace(next.cert + next.key);
  await expect.poll(fingerprint).toBe(fingerprintOf(next));
  expect(await list(before)).toContain("200 OK");
  expect(log.errors).toEqual([]);

  await replace(authority.issue("localhost").cert + next.key);
  await expect.poll(() => log.errors.length).toBe(1);
  await settle();
  expect(log.errors.length).toBe(1);
  expect(String(log.errors[0]?.cause)).toContain("is not the key of the first certificate");
  await rm(file);
  await expect.poll(() => log.errors.length).toBe(2);
  expect(await fingerprint()).toBe(fingerprintOf(next));
  await replace(certificate.cert + certificate.key);
  await expect.poll(fingerprint).toBe(fingerprintOf(certificate));
});
