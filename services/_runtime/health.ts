import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { Server, ServerUnaryCall, ServerWritableStream, sendUnaryData } from "@grpc/grpc-js";
import {
  Health,
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthCheckResponseSchema,
  type HealthListRequest,
  type HealthListResponse,
  HealthListResponseSchema,
  HealthCheckResponse_ServingStatus as Status,
} from "../../gen/grpc/health/v1/health_pb.ts";
import { definitionOf } from "./grpc-codec.ts";

/** What a server says of its health, from SERVING to NOT_SERVING. */
export interface ServingHealth {
  /** Says NOT_SERVING from now on; every watch gets that as its last answer. */
  end(): void;
}

type Watch = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

/**
 * Lets a server answer grpc.health.v1 (https://github.com/grpc/grpc/blob/master/doc/health-checking.md): SERVING for each
 * name, until its end. The empty name stands for the whole process.
 */
export function addHealth(server: Server, names: readonly string[]): ServingHealth {
  let status: Status = Status.SERVING;
  const known = new Set(names);
  const watches = new Set<Watch>();
  const answer = () => create(HealthCheckResponseSchema, { status });
  server.addService(
    {
      check: definitionOf(Health.method.check),
      list: definitionOf(Health.method.list),
      // One request, as the contract says: the adapters' streams are streams both ways.
      watch: { ...definitionOf(Health.method.watch), requestStream: false },
    },
    {
      check(
        { request }: ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>,
        done: sendUnaryData<HealthCheckResponse>,
      ) {
        if (known.has(request.service)) done(null, answer());
        else done({ code: Number(Code.NotFound), details: `nothing is known of "${request.service}"` });
      },
      list(_call: ServerUnaryCall<HealthListRequest, HealthListResponse>, done: sendUnaryData<HealthListResponse>) {
        const statuses = Object.fromEntries(names.map((name) => [name, answer()]));
        done(null, create(HealthListResponseSchema, { statuses }));
      },
      watch(call: Watch) {
        if (!known.has(call.request.service)) {
          call.write(create(HealthCheckResponseSchema, { status: Status.SERVICE_UNKNOWN }));
          return;
        }
        watches.add(call);
        call.on("cancelled", () => watches.delete(call));
        call.write(answer());
      },
    },
  );
  return {
    end() {
      status = Status.NOT_SERVING;
      for (const watch of watches) {
        watch.write(answer());
        // Else it would hold the connection, and with it the end of the process.
        watch.end();
      }
    },
  };
}
