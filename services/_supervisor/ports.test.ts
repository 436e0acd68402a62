import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../_runtime/clock.ts";
import { reservePorts } from "../_runtime/testing/reserve-ports.ts";
import { type Place, refuseHopeless, waitForPlaces } from "./ports.ts";

const port = await reservePorts(1);
const place: Place = { name: "edge", address: `127.0.0.1:${port}`, hostSetting: "TRIPE_LISTEN_HOST" };

async function listen() {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return server;
}

test("free ports are waited for no longer than it takes to look", async () => {
  await expect(waitForPlaces([place], systemClock)).resolves.toBeUndefined();
});

test("a port that stays taken is named, with what to do", async () => {
  const server = await listen();
  await expect(waitForPlaces([place], systemClock)).rejects.toThrow(
    `127.0.0.1:${port} (edge) is taken by another program. Stop it, or set PORT`,
  );
  server.close();
});

test("a socket at which another Tripe answers is named, and one that nobody holds is free", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tripe-places-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "reader.sock");
  const socket = { ...place, name: "reader", address: `unix:${path}` };
  await expect(waitForPlaces([socket], systemClock)).resolves.toBeUndefined();
  const server = createServer().listen(path);
  await once(server, "listening");
  await expect(waitForPlaces([socket], systemClock)).rejects.toThrow(
    /reader.sock \(reader\) is taken .* TRIPE_DATA_DIR/,
  );
  server.close();
});

test("a port that a dying process leaves is waited for", async () => {
  const server = await listen();
  const waiting = waitForPlaces([place], systemClock);
  server.close();
  await expect(waiting).resolves.toBeUndefined();
});

test("an address that this machine has not is refused at once, by the setting's name", async () => {
  // Of TEST-NET-1: no machine has it.
  const away = (hostSetting: Place["hostSetting"]) =>
    waitForPlaces([{ name: "edge", address: `192.0.2.1:${port}`, hostSetting }], systemClock);
  const words = "192.0.2.1 is no address of this machine (edge, EADDRNOTAVAIL).";
  await expect(away("TRIPE_LISTEN_HOST")).rejects.toThrow(`TRIPE_LISTEN_HOST: ${words}`);
  await expect(away("TRIPE_SERVICES_HOST")).rejects.toThrow(`TRIPE_SERVICES_HOST: ${words}`);
  const unknown = waitForPlaces([{ ...place, address: `tripe.invalid:${port}` }], systemClock);
  await expect(unknown).rejects.toThrow("TRIPE_LISTEN_HOST: tripe.invalid cannot be listened on (edge, ");
});

test("a port that needs a right this user lacks is refused with what to do", () => {
  const low = { ...place, address: "127.0.0.1:80" };
  expect(() => refuseHopeless(low, "EACCES")).toThrow(
    "PORT: this user may not listen on port 80 (edge, EACCES): set PORT to 1024 or above",
  );
  expect(() => refuseHopeless(low, "EADDRINUSE")).not.toThrow();
});
