import { create, type DescFile, type DescService, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import type { Server, ServerDuplexStream } from "@grpc/grpc-js";
import {
  ServerReflection,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ErrorInfoSchema } from "../../gen/tripe/type/v1/error_info_pb.ts";
import { definitionOf } from "./grpc-codec.ts";
import { createReflectionIndex, listFiles, type ReflectionIndex } from "./reflection-index.ts";

/** What stands in the details of errors: no contract imports it, and tools cannot show what they cannot find. */
const DETAIL_FILES = [ErrorInfoSchema.file];

type Answer = MessageInitShape<typeof ServerReflectionResponseSchema>;

/**
 * Lets tools such as `buf curl` ask a server for the contracts of these services: by grpc.reflection.v1 and, for older
 * tools, by v1alpha, which has another name and the same bytes.
 */
export function addReflection(server: Server, services: readonly DescService[]): void {
  // Made when somebody asks: most processes are never asked.
  let index: ReflectionIndex | undefined;
  const info = (call: ServerDuplexStream<ServerReflectionRequest, ServerReflectionResponse>) => {
    call.on("data", (request: ServerReflectionRequest) => {
      index ??= createReflectionIndex([...services.map(({ file }) => file), ...DETAIL_FILES]);
      const answer = answerTo(request.messageRequest, index, services);
      const { host: validHost } = request;
      call.write(create(ServerReflectionResponseSchema, { validHost, originalRequest: request, ...answer }));
    });
    call.on("end", () => call.end());
    // A caller who is gone is no fault; without a listener it would end the process.
    call.on("error", () => {});
  };
  const definition = definitionOf(ServerReflection.method.serverReflectionInfo);
  server.addService({ info: definition }, { info });
  server.addService({ info: { ...definition, path: definition.path.replace(".v1.", ".v1alpha.") } }, { info });
}

function answerTo(
  request: ServerReflectionRequest["messageRequest"],
  { files, symbols, extensions }: ReflectionIndex,
  services: readonly DescService[],
): Answer {
  switch (request.case) {
    case "listServices": {
      const service = services.map(({ typeName: name }) => ({ name }));
      return { messageResponse: { case: "listServicesResponse", value: { service } } };
    }
    case "fileByFilename":
      return answerFile(files.get(request.value), request.value);
    case "fileContainingSymbol":
      return answerFile(symbols.get(request.value), request.value);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = request.value;
      const extension = extensions.get(containingType)?.find(({ number }) => number === extensionNumber);
      return answerFile(extension?.file, `extension ${extensionNumber} of ${containingType}`);
    }
    case "allExtensionNumbersOfType": {
      const found = extensions.get(request.value);
      if (found === undefined) return answerError(Code.NotFound, `there are no extensions of ${request.value}`);
      const value = { baseTypeName: request.value, extensionNumber: found.map(({ number }) => number) };
      return { messageResponse: { case: "allExtensionNumbersResponse", value } };
    }
    case undefined:
      return answerError(Code.InvalidArgument, "the request asks for nothing");
  }
}

// With all that it imports: a tool can read the file by this one answer.
function answerFile(file: DescFile | undefined, what: string): Answer {
  if (file === undefined) return answerError(Code.NotFound, `there is no ${what}`);
  const fileDescriptorProto = listFiles([file]).map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { messageResponse: { case: "fileDescriptorResponse", value: { fileDescriptorProto } } };
}

function answerError(errorCode: Code, errorMessage: string): Answer {
  return { messageResponse: { case: "errorResponse", value: { errorCode, errorMessage } } };
}
