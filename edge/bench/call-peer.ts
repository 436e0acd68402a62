import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { create } from "@bufbuild/protobuf";
import { ChargeSchema, ChargeState } from "../../gen/tripe/billing/v1/charge_pb.ts";
import { GetChargeResponseSchema } from "../../gen/tripe/reader/v1/charges_pb.ts";
import type { PeerMessage, PeerRole } from "./call-pair.ts";

// One side of an internal call, as the services make it: with its proof, deadline, log line and contract's rules. A process of
// its own, over the runtime of the checkout that is measured. The parent sends its role, once.

process.once("message", (role) => void play(role as PeerRole));
process.once("disconnect", () => process.exit());

const ids = { accountId: "acct_0000000000000000000000", chargeId: "ch_000000000000000000000000" };

/** A charge as large as most are. Made once: to make one is the service's work and not the call's. */
const charge = create(ChargeSchema, {
  ...ids,
  customerId: "cus_000000000000000000000000",
  paymentMethodId: "card_000000000000000000000000",
  amount: { amountMinor: 2_000n, currencyCode: "USD" },
  capturedMinor: 2_000n,
  state: ChargeState.SUCCEEDED,
  authorizationCode: "123456",
  createTime: { seconds: 1_760_000_000n, nanos: 0 },
});
const answer = create(GetChargeResponseSchema, { charge });

async function play(role: PeerRole): Promise<void> {
  const { root, dataDir, port } = role;
  const load = (path: string) => import(pathToFileURL(join(root, "services", "_runtime", path)).href);
  const { systemClock: clock } = (await load("clock.ts")) as typeof import("../../services/_runtime/clock.ts");
  const { readConfig } = (await load("config.ts")) as typeof import("../../services/_runtime/config.ts");
  const { createLog } = (await load("log.ts")) as typeof import("../../services/_runtime/log.ts");
  const { contracts } = (await load("clients.ts")) as typeof import("../../services/_runtime/clients.ts");
  const security = (await load("security.ts")) as typeof import("../../services/_runtime/security.ts");
  const config = readConfig({ PORT: String(port), TRIPE_DATA_DIR: dataDir });
  const context = { config, log: createLog({ ...config, name: role.side }), clock };
  if (role.side === "server") {
    const { createServer } = (await load("serve.ts")) as typeof import("../../services/_runtime/serve.ts");
    const implementation = { getCharge: () => answer };
    const services = [{ service: contracts.reader, implementation }] as const;
    await createServer({
      name: "reader",
      services,
      listening: await security.openListening("reader", context),
      ...context,
    });
    return say({ is: "ready" });
  }
  const dialing = await security.openDialing("edge", context);
  const options = { name: "reader", addresses: config.addresses.reader, dialing } as const;
  const { createServiceClient } = (await load("client.ts")) as typeof import("../../services/_runtime/client.ts");
  const client = createServiceClient(contracts.reader, "reader", await connect(), { caller: "edge", ...context });
  await callFor(role.warmUpMs);
  say({ is: "measuring" });
  const calls = await callFor(role.measureMs);
  say({ is: "measured", calls });

  async function connect() {
    if (role.transport === "lane") {
      const lanes = (await load("lane-transport.ts")) as typeof import("../../services/_runtime/lane-transport.ts");
      return lanes.createLaneTransport(options);
    }
    const grpc = (await load("grpc-transport.ts")) as typeof import("../../services/_runtime/grpc-transport.ts");
    return grpc.createGrpcTransport(options);
  }

  /** Calls with so many in flight for so long; to the number of answers. */
  async function callFor(ms: number): Promise<number> {
    const endMs = clock.preciseMs() + ms;
    let count = 0;
    const one = async () => {
      while (clock.preciseMs() < endMs) {
        await client.getCharge(ids);
        count += 1;
      }
    };
    await Promise.all(Array.from({ length: role.inFlight }, one));
    return count;
  }
}

function say(message: PeerMessage): void {
  process.send?.(message);
}
