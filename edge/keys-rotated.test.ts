import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../services/_runtime/clock.ts";
import { makeKeyFile, openKeys, readKeyRing, writeKeyRing } from "../services/_runtime/key-files.ts";
import { addKey, keepFirstKey, keyFile } from "../services/_runtime/key-ring.ts";
import { isSignedPdf, pdfUrlOf } from "./pdf-links.ts";
import { startBench } from "./testing/tripe.ts";

// Two edges over one file of request keys, one of which reads it later: what either made, the other takes.
const file = keyFile(await mkdtemp(join(tmpdir(), "tripe-keys-")), "request");
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

test("a link to a PDF opens with any live key, whether it names its key or not", async () => {
  const name = { accountId: "acct_1", invoiceId: "in_1" };
  const signatureOf = (url: string) => url.split("/").at(-2) ?? "";
  const early = open();
  const old = signatureOf(pdfUrlOf(name, { keys: early, origin: "" }));
  const unnamed = old.slice(9);
  expect([isSignedPdf(name, old, early), isSignedPdf(name, unnamed, early)]).toEqual([true, true]);
  await change(addKey);
  const late = open();
  const fresh = signatureOf(pdfUrlOf(name, { keys: late, origin: "" }));
  // The first edge has not read the file again, and finds the key by the name in the link.
  expect(isSignedPdf(name, fresh, early)).toBe(true);
  expect([isSignedPdf(name, old, late), isSignedPdf(name, unnamed, late)]).toEqual([true, true]);
  expect(isSignedPdf({ ...name, invoiceId: "in_2" }, old, late)).toBe(false);
  await change(keepFirstKey);
  expect([isSignedPdf(name, old, open()), isSignedPdf(name, unnamed, open())]).toEqual([false, false]);
});
