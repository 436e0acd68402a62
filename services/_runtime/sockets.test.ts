import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, lstat, mkdtemp, readdir, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createServiceClient } from "./client.ts";
import type { Connect } from "./clients.ts";
import { systemClock as clock } from "./clock.ts";
import { createGrpcTransport } from "./grpc-transport.ts";
import { createLaneTransport } from "./lane-transport.ts";
import { silentLog as log } from "./log.ts";
import { createServer } from "./serve.ts";
import { isListening, openSocketFolder, socketFolder } from "./sockets.ts";
import { ProbeService } from "./testing/probe_pb.ts";
import { mayCallProbe as mayCall } from "./testing/probe-calls.ts";
import { createSocketPlace, type SocketPlace } from "./testing/socket-place.ts";

const serve = (place: SocketPlace, text: string, handleMs = 0) =>
  createServer({
    name: "writer",
    services: [
      {
        service: ProbeService,
        implementation: {
          async write() {
            if (handleMs > 0) await clock.sleep(handleMs);
            return { text };
          },
        },
      },
    ],
    listening: place.listening("writer"),
    ...{ log, clock, mayCall },
  });

async function setup(transportOf: Connect = createLaneTransport) {
  const place = await createSocketPlace();
  const dialing = place.dialing("edge");
  const connect = (...addresses: string[]) => {
    const transport = transportOf({ name: "writer", addresses, dialing });
    onTestFinished(() => transport.close());
    return createServiceClient(ProbeService, "writer", transport, { caller: "edge", clock, log, mayCall });
  };
  onTestFinished(place.remove);
  return { place, connect, client: connect(place.addressOf("writer")) };
}

const transports = Object.entries({ "plain gRPC": createGrpcTransport, lanes: createLaneTransport });
const each = test.each<[string, Connect]>(transports);

each(
  "over %s a service is replaced thirty times under calls that may not be repeated, and none is lost",
  async (_name, transport) => {
    const { place, client } = await setup(transport);
    let server = await serve(place, "0", 3);
    let isOver = false;
    let callsCount = 0;
    const load = async () => {
      while (!isOver) {
        // Without a request id a write is made again only when it is certain that no server has read it.
        await client.write({}, { timeoutMs: 10_000 });
        callsCount += 1;
      }
    };
    const running = Promise.all(Array.from({ length: 4 }, load));
    running.catch(() => undefined);
    for (let round = 1; round <= 30; round += 1) {
      // A process takes longer to start: no call meets a third one on its way.
      await clock.sleep(60);
      const next = await serve(place, String(round), 3);
      await server.close();
      server = next;
    }
    isOver = true;
    await running;
    expect((await client.write({})).text).toBe("30");
    expect(callsCount).toBeGreaterThan(100);
    await server.close();
  },
);

test("a name whose holder is gone goes back to the one who lives", async () => {
  const { place, client } = await setup();
  const first = await serve(place, "first");
  const second = await serve(place, "second");
  await second.close();
  await expect.poll(() => isListening(join(place.folder, "writer.sock")), { timeout: 5_000 }).toBe(true);
  expect((await client.write({}, { timeoutMs: 5_000 })).text).toBe("first");
  await first.close();
});

each(
  "over %s two services share the calls of a list of addresses, and one serves all when the other is gone",
  async (_name, transport) => {
    const [one, other] = [await setup(transport), await setup(transport)];
    const servers = [await serve(one.place, "one"), await serve(other.place, "other")];
    const client = one.connect(one.place.addressOf("writer"), other.place.addressOf("writer"));
    await expect.poll(async () => (await client.write({})).text).toBe("other");
    await expect.poll(async () => (await client.write({})).text).toBe("one");
    const texts = await Promise.all(Array.from({ length: 20 }, async () => (await client.write({})).text));
    expect(texts.filter((text) => text === "one")).toHaveLength(10);
    await servers[0]?.close();
    const rest = await Promise.all(Array.from({ length: 4 }, async () => (await client.write({})).text));
    expect(rest).toEqual(Array(4).fill("other"));
    await servers[1]?.close();
  },
);

test("what dead processes left is removed, and what lives is left alone", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tripe-run-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  await writeFile(join(folder, `reader.${child.pid}.sock`), "");
  await writeFile(join(folder, `reader.${process.pid}.sock`), "");
  await writeFile(join(folder, "tripe.json"), "{}");
  await symlink(`reader.${child.pid}.sock`, join(folder, "reader.sock"));
  await openSocketFolder(folder);
  expect((await readdir(folder)).sort()).toEqual([`reader.${process.pid}.sock`, "reader.sock", "tripe.json"]);
  expect(await readlink(join(folder, "reader.sock"))).toBe(`reader.${child.pid}.sock`);
});

test("a path that is too long for a socket gives way to a folder in /tmp, of this user alone", async () => {
  const short = socketFolder("/srv/tripe");
  expect(short).toBe("/srv/tripe/run");
  const long = socketFolder(`/srv/${"deep/".repeat(20)}`);
  expect(long).toMatch(/^\/tmp\/tripe-\d+-[0-9a-f]{16}$/);
  onTestFinished(() => rm(long, { recursive: true, force: true }));
  await openSocketFolder(long);
  expect((await lstat(long)).mode & 0o777).toBe(0o700);
  await chmod(long, 0o755);
  await expect(openSocketFolder(long)).rejects.toThrow(`${long} must be a folder of this user`);
  await rm(long, { recursive: true });
  await symlink(tmpdir(), long);
  await expect(openSocketFolder(long)).rejects.toThrow("must be a folder of this user");
});
