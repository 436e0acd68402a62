import { type DescFile, type DescService, fromBinary, toBinary } from "@bufbuild/protobuf";
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
  const contracts = { format: "Protocol Buffer 3 EnumDescriptorProto", type: {}, fileDescriptorProtos } as const;
  new ReflectionService({ contracts }, { services: names }).addToServer(server);
}

function collect(file: DescFile, files: Map<string, Buffer>): void {
  if (files.has(file.name)) return;
  for (const dependency of file.dependencies) collect(dependency, files);
  files.set(file.name, Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)));
}

// The package loads its contract by protobufjs, which names the map in List's answer so that other tools refuse the
// file. Check and Watch are what everybody uses: List is left out of what reflection tells.
function healthFiles(): Buffer[] {
  return Object.values(healthDefinition).flatMap(({ requestType }) =>
    requestType.fileDescriptorProtos.map((bytes) => {
      const file = fromBinary(FileDescriptorProtoSchema, bytes);
      file.messageType = file.messageType.filter(({ name }) => !name.startsWith("HealthList"));
      for (const service of file.service) service.method = service.method.filter(({ name }) => name !== "List");
      return Buffer.from(toBinary(FileDescriptorProtoSchema, file));
    }),
  );
}
