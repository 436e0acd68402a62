import { createPrivateKey, generateKeyPairSync, webcrypto } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import { join } from "node:path";
// What @peculiar/x509 is built with wants it there first.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { expect, onTestFinished, test } from "vitest";
import { type Certified, createAuthority } from "../bank/testing/certificates.ts";
import { createAskEdge, describeCertificateProblem } from "./ask-edge.ts";
import { readEdgeCertificate } from "./edge-certificate.ts";
import { createTestFolder } from "./testing/test-folder.ts";

const authority = createAuthority("an authority that this machine does not know");
const good = authority.issue("pay.example.com");

async function setup({ cert, key }: Certified = good) {
  const folder = await createTestFolder("tripe-edge-certificate-");
  const files = { certFile: join(folder, "cert.pem"), keyFile: join(folder, "key.pem") };
  await writeFile(files.certFile, cert);
  await writeFile(files.keyFile, key);
  return files;
}

/** A key of a length that OpenSSL takes no more. */
async function createWeak(): Promise<Certified> {
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 1_024 };
  const publicExponent = new Uint8Array([1, 0, 1]);
  const keys = await webcrypto.subtle.generateKey({ ...algorithm, publicExponent }, true, ["sign", "verify"]);
  const cert = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: "CN=weak",
      keys,
      signingAlgorithm: algorithm,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: "localhost" }])],
    },
    webcrypto,
  );
  const bytes = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const key = createPrivateKey({ key: bytes, format: "der", type: "pkcs8" });
  return { cert: cert.toString("pem"), key: key.export({ format: "pem", type: "pkcs8" }).toString() };
}

test("a certificate and its key are read, with the chain that follows", async () => {
  const { cert, leaf } = await readEdgeCertificate(await setup({ ...good, cert: good.cert + authority.cert }));
  expect(leaf.subjectAltName).toBe("DNS:pay.example.com");
  expect(cert).toContain(authority.cert);
});

const locked = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  publicKeyEncoding: { format: "pem", type: "spki" },
  privateKeyEncoding: { format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase: "secret" },
}).privateKey;

test.each([
  ["no certificate", async () => ({ ...good, cert: good.key }), /^TRIPE_TLS_CERT: \S+ holds no certificate in PEM\.$/],
  ["an empty file", async () => ({ ...good, cert: "" }), /^TRIPE_TLS_CERT: \S+ holds no certificate in PEM\.$/],
  ["no name", async () => authority, /^TRIPE_TLS_CERT: \S+ names no host \(subjectAltName\)/],
  ["a weak key", createWeak, /^TRIPE_TLS_CERT: \S+ cannot be used for TLS \(.*too small\)\.$/],
  ["no key", async () => ({ ...good, key: good.cert }), /^TRIPE_TLS_KEY: \S+ holds no private key in PEM that/],
  ["a locked key", async () => ({ ...good, key: locked }), /^TRIPE_TLS_KEY: \S+ holds no private key in PEM that/],
  [
    "another's key",
    async () => ({ ...good, key: authority.key }),
    /^TRIPE_TLS_KEY: \S+ is not the key of the first certificate in/,
  ],
])("%s is refused in one sentence that names the setting", async (_, make, words) => {
  await expect(readEdgeCertificate(await setup(await make()))).rejects.toThrow(words);
});

test("files that are missing, or folders, are refused by name", async () => {
  const { certFile, keyFile } = await setup();
  const read = (files: object) => readEdgeCertificate({ certFile, keyFile, ...files });
  await expect(read({ certFile: `${certFile}x` })).rejects.toThrow(/^TRIPE_TLS_CERT: \S+ cannot be read \(ENOENT\)\.$/);
  await expect(read({ keyFile: "/" })).rejects.toThrow(/^TRIPE_TLS_KEY: \/ cannot be read \(EISDIR\)\.$/);
});

/** Something at an address of this machine that shows a certificate; how it is asked by someone who has that file. */
async function serve(shown: Certified, certFile: string) {
  const server = createServer(shown, (request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => response.setHeader("request-id", "req_1").end(`${request.method} ${request.url} ${body}`));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const url = `https://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  return { ask: createAskEdge({ url, certFile }), server };
}

const problemOf = (asking: Promise<unknown>) => asking.then(() => "none", describeCertificateProblem);

test("an edge is asked by its own certificate, whatever signed it and whatever name it is for", async () => {
  const { certFile } = await setup();
  const { ask } = await serve(good, certFile);
  const answer = await ask({ method: "POST", path: "/v1/charges", body: "amount=1" });
  expect(answer).toMatchObject({ status: 200, text: "POST /v1/charges amount=1" });
  expect(answer.headers["request-id"]).toBe("req_1");
});

test("another certificate is refused, also one that the same authority signed for the same name", async () => {
  const files = await setup({ ...good, cert: good.cert + authority.cert });
  for (const shown of [authority.issue("pay.example.com"), createAuthority("other").issue("pay.example.com")]) {
    const { ask } = await serve(shown, files.certFile);
    expect(await problemOf(ask({ path: "/" }))).toBe(
      "what answers there shows another certificate than TRIPE_TLS_CERT",
    );
  }
});

test("a certificate that has ended, or has not begun, is named as such", async () => {
  for (const [validity, words] of [
    [{ fromMs: Date.UTC(2020, 0), toMs: Date.UTC(2020, 1) }, "the certificate of TRIPE_TLS_CERT has expired"],
    [{ fromMs: Date.UTC(2048, 0), toMs: Date.UTC(2049, 0) }, "the certificate of TRIPE_TLS_CERT is not valid yet"],
  ] as const) {
    const shown = authority.issue("pay.example.com", validity);
    const { ask } = await serve(shown, (await setup(shown)).certFile);
    expect(await problemOf(ask({ path: "/" }))).toBe(words);
  }
});

test("while a certificate is renewed the former and the new one are accepted, and a broken file changes nothing", async () => {
  const { certFile } = await setup();
  const { ask, server } = await serve(good, certFile);
  expect((await ask({ path: "/" })).status).toBe(200);
  const next = authority.issue("pay.example.com");
  await writeFile(certFile, next.cert);
  expect((await ask({ path: "/" })).status).toBe(200);
  server.setSecureContext(next);
  await writeFile(certFile, "half a cert");
  expect((await ask({ path: "/" })).status).toBe(200);
  const late = createAskEdge({ url: "https://127.0.0.1:1", certFile });
  expect(await problemOf(late({ path: "/" }))).toMatch(/^TRIPE_TLS_CERT: \S+ holds no certificate in PEM\.$/);
});
