import { rm } from "node:fs/promises";
import { afterAll, expect, test } from "vitest";
import { systemClock } from "../services/_runtime/clock.ts";
import { makeKeyFile, openKeys, readKeyRing, writeKeyRing } from "../services/_runtime/key-files.ts";
import { addKey, keepFirstKey, keyFile } from "../services/_runtime/key-ring.ts";
import { createMemoryFolder } from "../services/_runtime/testing/memory-folder.ts";
import { checkPdfSignature, pdfUrlOf } from "../services/_views/pdf-link.ts";
import { startBench } from "./testing/tripe.ts";

// Two edges over one file of request keys, one of which reads it later: what either made, the other takes.
const folder = await createMemoryFolder("tripe-keys-");
afterAll(() => rm(folder, { recursive: true, force: true }));
const file = keyFile(folder, "request");
await makeKeyFile("request", file);
const open = () => openKeys({ kind: "request", file, clock: systemClock });
const requestKeys = open();
const bench = await startBench({ requestKeys });

async function change(how: typeof addKey) {
  const ring = await readKeyRing("request", file);
  if (ring === undefined) throw new Error("there are request keys");
  await writeKeyRing(file, how(ring));
}

function create(key: string, name = "Ada") {
  const headers = { "idempotency-key": key };
  return bench.ask({ method: "POST", url: "/v1/customers", headers, payload: { name } });
}

test("a repeated request is known by the key it was first sent under, for as long as that is live", async () => {
  const first = await create("k");
  await change(addKey);
  requestKeys.latest();
  const again = await create("k");
  expect([again.status, again.body["id"]]).toEqual([200, first.body["id"]]);
  expect(again.headers["idempotent-replayed"]).toBe("true");
  const other = await create("k", "Bob");
  expect([other.status, other.body.error?.["type"]]).toEqual([400, "idempotency_error"]);
  const second = await create("l");
  await change(keepFirstKey);
  requestKeys.latest();
  expect((await create("l")).body["id"]).toBe(second.body["id"]);
  expect((await create("k")).status).toBe(400);
});

test("a link to a PDF opens with any live key, also with one that this edge has not read yet", async () => {
  const name = { accountId: "acct_1", invoiceId: "in_1" };
  const nowMs = systemClock.nowMs();
  const urlOf = (keys: ReturnType<typeof open>) => pdfUrlOf(name, { keys, origin: "", days: 30, nowMs });
  const signatureOf = (url: string) => url.split("/").at(-2) ?? "";
  const check = (signature: string, keys: ReturnType<typeof open>) =>
    checkPdfSignature(name, signature, { keys, nowMs });
  const early = open();
  const old = signatureOf(urlOf(early));
  expect(check(old, early)).toBe("good");
  await change(addKey);
  const late = open();
  // The first edge has not read the file again, and finds the key by the name in the link.
  expect([check(signatureOf(urlOf(late)), early), check(old, late)]).toEqual(["good", "good"]);
  await change(keepFirstKey);
  expect(check(old, open())).toBe("wrong");
});
