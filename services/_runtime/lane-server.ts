import { Code } from "@connectrpc/connect";
import { Metadata, type Server } from "@grpc/grpc-js";
import { LaneService } from "../../gen/tripe/lane/v1/lane_service_pb.ts";
import type { AnsweringOptions } from "./answer-lane-call.ts";
import { createRefusal } from "./errors.ts";
import { pathOf } from "./grpc-codec.ts";
import { toStatus } from "./grpc-status.ts";
import { firstText, headerNames } from "./headers.ts";
import { laneDefinition } from "./lane-messages.ts";
import type { Log } from "./log.ts";
import { ServedLane, type ServedStream } from "./served-lane.ts";
import { type MayCall, readCaller } from "./topology.ts";

/** What `addLanes` needs. */
export interface LaneServerOptions extends Pick<AnsweringOptions, "host" | "clock" | "maxMessageBytes"> {
  readonly mayCall: MayCall;
  readonly log: Log;
  /** How long a lane takes calls, in milliseconds; default LANE_AGE_MS. */
  readonly ageMs?: number;
}

/** The lanes of a server. */
export interface ServedLanes {
  /** Takes no more calls, and ends each lane once the calls that it took are answered. */
  drain(): void;
}

// A caller spreads its lanes over the services that it finds when it opens them, and proves its name then: so not for long.
const LANE_AGE_MS = 300_000;

/** Lets a server carry calls in lanes, for the host that answers its plain rpcs too. */
export function addLanes(server: Server, options: LaneServerOptions): ServedLanes {
  const { host, mayCall, clock, log, maxMessageBytes, ageMs = LANE_AGE_MS } = options;
  const unary = host.services.flatMap((service) => service.methods.filter(({ methodKind }) => methodKind === "unary"));
  const methods = new Map(unary.map((method) => [pathOf(method), method]));
  const lanes = new Set<ServedLane>();
  let isDraining = false;
  const carry = (stream: ServedStream) => {
    // A stray second error follows a cancelled stream; without a listener it would end the process.
    stream.on("error", () => {});
    const caller = readCaller(firstText(stream.metadata, headerNames.caller));
    if (caller === undefined || !mayCall(caller, host.name, LaneService.method.carry.name)) {
      log.warn("a lane was refused", { caller: caller ?? "" });
      stream.emit("error", toStatus(notAllowed(`${caller} may not call ${host.name}`)));
      return;
    }
    // Headers at once: until it has them, the caller's side of gRPC keeps a copy of all that it sends.
    stream.sendMetadata(new Metadata());
    const lane = new ServedLane(stream, { host, methods, caller, clock, maxMessageBytes }, log);
    lanes.add(lane);
    const cancelTimer = clock.setTimer(() => lane.retire(), ageMs);
    stream.on("close", () => {
      cancelTimer();
      lanes.delete(lane);
    });
    if (isDraining) lane.retire();
  };
  server.addService({ carry: laneDefinition }, { carry });
  return {
    drain() {
      isDraining = true;
      for (const lane of lanes) lane.retire();
    },
  };
}

function notAllowed(message: string): Error {
  return createRefusal({ code: Code.PermissionDenied, reason: "CALLER_NOT_ALLOWED", field: "", message });
}
