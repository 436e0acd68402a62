import { type DescFile, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { Server } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import { service as healthDefinition } from "grpc-health-check";

/** Lets tools such as `buf curl` ask a server for its contracts: those of our services and of the health service. */
export function addReflection(server: Server, services: readonly DescService[]): void {
  const files = new Map<string, Buffer>();
  for (const service of services) collect(service.file, files);
  const fileDescriptorProtos = [...files.values(), ...healthFiles()];
  const names = [...services.map((service) => service.typeName), "grpc.health.v1.Health"];
  new ReflectionService(
    { all: { format: "Protocol Buffer 3 EnumDescriptorProto", type: {}, fileDescriptorProtos } },
    { services: names },
  ).addToServer(server);
}

function collect(file: DescFile, files: Map<string, Buffer>): void {
  if (files.has(file.name)) return;
  for (const dependency of file.dependencies) collect(dependency, files);
  files.set(file.name, Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)));
}

// The package describes its contract in the form grpc-js's loader makes; the file itself lies in each method.
function healthFiles(): Buffer[] {
  return Object.values(healthDefinition).flatMap((method) => method.requestType.fileDescriptorProtos);
}
