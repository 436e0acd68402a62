import { once } from "node:events";
import { rename, rm, writeFile } from "node:fs/promises";
import { createServer as createPlainServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type TLSSocket, type TlsOptions } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../_runtime/clock.ts";
import { createTestFolder } from "../../_runtime/testing/test-folder.ts";
import { createRouter } from "../router.ts";
import { type Authority, type Certified, createAuthority } from "../testing/certificates.ts";
import { createLines } from "../testing/lines.ts";
import { connectTo } from "../testing/sandbox.ts";
import { BUY, reply, serveScripted } from "../testing/scripted-bank.ts";

const OURS = createAuthority("Tripe's acquirer");
const OTHER = createAuthority("somebody else");
const DAY_MS = 86_400_000;

/** A bank that wants to see a certificate of ours, on a real port, until the test ends. */
async function listen(shown: Certified, change: TlsOptions = {}) {
  const peers: (string | undefined)[] = [];
  const sockets: TLSSocket[] = [];
  const options = { ...shown, ca: OURS.cert, requestCert: true, rejectUnauthorized: true, ...change };
  const server = createServer(options, (socket) => {
    const { subject } = socket.getPeerCertificate();
    peers.push(subject === undefined ? undefined : String(subject.CN));
    serveScripted(socket, (request) => reply(socket, request, {}));
    sockets.push(socket);
  });
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(() => {
    server.close();
    cut();
  });
  const address = server.address();
  return { cut, peers, port: typeof address === "object" && address !== null ? address.port : 0 };
}

/** Files as an operator lays them down, and a connector that reads them. */
async function setup(bank: { port: number }, { ca = OURS, own = OURS.issue("tripe") }: Own = {}, host = "127.0.0.1") {
  const folder = await createTestFolder("tripe-tls-");
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [caFile, certFile, keyFile] = ["ca.pem", "cert.pem", "key.pem"].map((name) => join(folder, name));
  const write = async (file = "", text = "") => {
    await writeFile(`${file}.new`, text, { mode: 0o600 });
    await rename(`${file}.new`, file);
  };
  const renew = async (next: Certified) => {
    await write(certFile, next.cert);
    await write(keyFile, next.key);
  };
  await write(caFile, ca.cert);
  await renew(own);
  const { log, lines } = createLines();
  const address = { host, port: bank.port, tls: { caFile, certFile, keyFile } };
  const connector = connectTo(bank.port, undefined, { address, log });
  const router = createRouter({ banks: [{ name: "acquirer", connector, weight: 1 }], clock: systemClock });
  return { connector, lines, renew, status: () => router.status()[0] };
}

interface Own {
  readonly ca?: Authority;
  readonly own?: Certified;
}

test("over mutual TLS a purchase is answered, by a bank that has seen our certificate", async () => {
  const bank = await listen(OURS.issue("127.0.0.1"));
  const { connector, status } = await setup(bank);
  expect(await connector.purchase(BUY)).toMatchObject({ outcome: "accepted" });
  expect(bank.peers).toEqual(["tripe"]);
  expect(status()).toEqual({ name: "acquirer", signedOn: true, awayMs: 0, reason: "" });
});

const UNTRUSTED = "the bank's certificate is not signed by an authority that is trusted (TRIPE_ACQUIRER_CA)";

test.each<[string, Certified, string, string]>([
  ["signed by another authority", OTHER.issue("127.0.0.1"), "127.0.0.1", UNTRUSTED],
  ["for another address", OURS.issue("127.0.0.2"), "127.0.0.1", "the bank's certificate is for another name"],
  ["for another name", OURS.issue("bank.example"), "localhost", "the bank's certificate is for another name"],
  [
    "expired",
    OURS.issue("127.0.0.1", { fromMs: Date.UTC(2020, 0), toMs: Date.UTC(2020, 0) + DAY_MS }),
    "127.0.0.1",
    "the bank's certificate has expired",
  ],
  [
    "not valid yet",
    OURS.issue("127.0.0.1", { fromMs: Date.UTC(2048, 0), toMs: Date.UTC(2048, 0) + DAY_MS }),
    "127.0.0.1",
    "the bank's certificate is not valid yet",
  ],
])("a bank whose certificate is %s is sent nothing, and the log and the state say why", async (_, shown, host, why) => {
  const bank = await listen(shown);
  const { connector, lines, status } = await setup(bank, {}, host);
  expect(await connector.purchase({ ...BUY, timeoutMs: 300 })).toEqual({ outcome: "not_sent", reason: "unreachable" });
  await expect.poll(() => status()).toMatchObject({ signedOn: false, reason: why });
  const address = `tls://${host}:${bank.port}`;
  expect(lines("bank unreachable")).toEqual([{ bank: "sandbox", address, problem: why }]);
  expect(bank.peers).toEqual([]);
});

test("a bank that ends the connection after it has seen our certificate is not signed on, and the reason points there", async () => {
  const bank = await listen(OURS.issue("127.0.0.1"));
  const { connector, status } = await setup(bank, { own: OTHER.issue("tripe") });
  expect(await connector.purchase({ ...BUY, timeoutMs: 300 })).toMatchObject({ outcome: "not_sent" });
  await expect.poll(() => status()?.reason).toContain("it may not trust our certificate");
  expect(bank.peers).toEqual([]);
});

test("a port without TLS is said to be one", async () => {
  const server = createPlainServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  const { status } = await setup({ port: typeof address === "object" && address !== null ? address.port : 0 });
  await expect.poll(() => status()?.reason).toBe("the bank does not speak TLS at this port");
});

test("a file that cannot be read is named", async () => {
  const bank = await listen(OURS.issue("127.0.0.1"));
  const missing = join(tmpdir(), "tripe-no-such-file.pem");
  const address = { host: "127.0.0.1", port: bank.port, tls: { caFile: missing } };
  const connector = connectTo(bank.port, undefined, { address });
  await expect.poll(() => connector.problem()).toContain(`${missing} cannot be read`);
});

test("a renewed certificate is shown at the next connection, without a restart", async () => {
  const bank = await listen(OURS.issue("127.0.0.1"));
  const { connector, renew } = await setup(bank);
  expect(await connector.echo(2_000)).toBe(true);
  await renew(OURS.issue("tripe renewed"));
  bank.cut();
  await expect.poll(() => bank.peers, { timeout: 5_000 }).toEqual(["tripe", "tripe renewed"]);
  expect(await connector.purchase(BUY)).toMatchObject({ outcome: "accepted" });
});
