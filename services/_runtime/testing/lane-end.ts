import { join } from "node:path";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import {
  CarryRequestSchema,
  type CarryResponse,
  CarryResponseSchema,
  type LaneAnswer,
} from "../../../gen/tripe/lane/v1/lane_service_pb.ts";
import { createGrpcTransport } from "../grpc-transport.ts";
import { decodeMessage, laneDefinition } from "../lane-messages.ts";
import type { CallerName, ServiceName } from "../topology.ts";
import type { SocketPlace } from "./socket-place.ts";

/** A caller that writes what it likes into a lane. */
export interface BareLane {
  /** Every answer, or part of one, in the order in which they came. */
  readonly answers: LaneAnswer[];
  /** The last call that the service has read, once it has said so. */
  lastId: number | undefined;
  /** Resolves to the status with which the lane ends. */
  readonly ended: Promise<{ code: number; details: string }>;
  send(request: MessageInitShape<typeof CarryRequestSchema>): void;
  sendBytes(bytes: Buffer): void;
  pause(): void;
  resume(): void;
  end(): void;
  close(): void;
}

/** Opens a lane to a service by hand. */
export function openBareLane(place: SocketPlace, name: ServiceName, token: CallerName): BareLane {
  const dialing = place.dialing(token);
  const transport = createGrpcTransport({ name, addresses: [place.addressOf(name)], dialing });
  const stream = transport.openLane();
  stream.on("error", () => {});
  const lane: BareLane = {
    answers: [],
    lastId: undefined,
    ended: new Promise((resolve) => {
      stream.once("status", ({ code, details }) => resolve({ code, details }));
    }),
    send: (request) => stream.write(Buffer.from(toBinary(CarryRequestSchema, create(CarryRequestSchema, request)))),
    sendBytes: (bytes) => stream.write(bytes),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    end: () => stream.end(),
    close: () => {
      stream.cancel();
      transport.close();
    },
  };
  stream.on("data", (bytes: Buffer) => {
    const { answers, lastId }: CarryResponse = decodeMessage(CarryResponseSchema, bytes);
    lane.answers.push(...answers);
    lane.lastId ??= lastId;
  });
  return lane;
}

/** Serves lanes by hand at a service's socket. */
export async function serveBareLanes(
  place: SocketPlace,
  name: ServiceName,
  carry: ((stream: ServerDuplexStream<Buffer, Buffer>) => void) | undefined,
): Promise<Server> {
  const server = new Server();
  if (carry !== undefined) server.addService({ carry: laneDefinition }, { carry });
  await new Promise<void>((resolve, reject) => {
    const address = `unix:${join(place.folder, `${name}.sock`)}`;
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
  });
  return server;
}
