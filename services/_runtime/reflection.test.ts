import { create, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { Server } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import { expect, test } from "vitest";
import {
  ExtensionRequestSchema,
  ServerReflection,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
} from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { contracts } from "./clients.ts";
import { addReflection } from "./reflection.ts";
import { listFiles } from "./reflection-index.ts";
import { serveBare } from "./testing/bare-server.ts";

type Question = ServerReflectionRequest["messageRequest"];
type Answer = ServerReflectionResponse["messageResponse"];

const services = Object.values(contracts);
const files = listFiles(services.map(({ file }) => file));
const types = files.flatMap((file) => [...nestedTypes(file)]);

const ours = (server: Server) => addReflection(server, services);

/** The package of gRPC's authors. */
const oracle = (server: Server) => {
  const fileDescriptorProtos = files.map(({ proto }) => Buffer.from(toBinary(FileDescriptorProtoSchema, proto)));
  const contract = { format: "Protocol Buffer 3 EnumDescriptorProto", type: {}, fileDescriptorProtos } as const;
  new ReflectionService({ contract }, { services: services.map(({ typeName }) => typeName) }).addToServer(server);
};

/** Asks all questions over one stream, and gives the answers in that order. */
async function ask(add: (server: Server) => void, questions: readonly Question[]): Promise<Answer[]> {
  const baseUrl = `http://${await serveBare(add)}`;
  const client = createClient(ServerReflection, createGrpcTransport({ baseUrl }));
  const requests = (async function* () {
    for (const messageRequest of questions) yield { host: "here", messageRequest };
  })();
  const answers: ServerReflectionResponse[] = [];
  for await (const answer of client.serverReflectionInfo(requests)) answers.push(answer);
  expect(answers.map(({ originalRequest }) => originalRequest?.messageRequest)).toEqual(questions);
  expect(new Set(answers.map(({ validHost }) => validHost))).toEqual(new Set(["here"]));
  return answers.map(({ messageResponse }) => messageResponse);
}

function filesIn(answer: Answer | undefined): MessageShape<typeof FileDescriptorProtoSchema>[] {
  if (answer?.case !== "fileDescriptorResponse") return [];
  return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}

/** The file that is the answer; behind it stand those that it imports. */
const fileIn = (answer: Answer | undefined) => filesIn(answer)[0]?.name;

test("reflection lists the services that the package would list", async () => {
  const questions: Question[] = [{ case: "listServices", value: "*" }];
  const listed = await ask(ours, questions);
  expect(listed).toEqual(await ask(oracle, questions));
  expect(listed[0]?.value).toMatchObject({ service: services.map(({ typeName: name }) => ({ name })) });
});

test("reflection finds every type, and its first and last parts, in the file where the package finds it", async () => {
  // Not every part: the package takes 5 ms a question, and all of them are two thousand.
  const ends = <Part>(parts: readonly Part[]) => [...parts.slice(0, 1), ...parts.slice(1).slice(-1)];
  const symbols = types.flatMap((type) => [
    type.typeName,
    ...ends(type.kind === "message" ? type.members : []).map(({ name }) => `${type.typeName}.${name}`),
    ...ends(type.kind === "service" ? type.methods : []).map(({ name }) => `${type.typeName}.${name}`),
    ...ends(type.kind === "enum" ? type.values : []).map(({ name }) => `${type.typeName}.${name}`),
  ]);
  expect(symbols.length).toBeGreaterThan(500);
  const questions = symbols.map((value): Question => ({ case: "fileContainingSymbol", value }));
  const [found, expected] = await Promise.all([ask(ours, questions), ask(oracle, questions)]);
  expect(found.map(fileIn)).toEqual(expected.map(fileIn));
});

test("reflection gives every file as it was compiled, with what the package gives and all its imports", async () => {
  const questions = files.map(({ proto }): Question => ({ case: "fileByFilename", value: proto.name }));
  const [found, expected] = await Promise.all([ask(ours, questions), ask(oracle, questions)]);
  expect(found.map((answer) => filesIn(answer)[0])).toEqual(files.map(({ proto }) => proto));
  for (const [index, answer] of found.entries()) {
    const names = filesIn(answer).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(filesIn(expected[index]).map(({ name }) => name)));
    expect(names).toEqual(expect.arrayContaining(filesIn(answer).flatMap(({ dependency }) => dependency)));
  }
});

test("reflection knows the extension that holds our contracts' rules", async () => {
  const containingType = "google.protobuf.FieldOptions";
  const value = create(ExtensionRequestSchema, { containingType, extensionNumber: 1159 });
  const [extension, numbers] = await ask(ours, [
    { case: "fileContainingExtension", value },
    { case: "allExtensionNumbersOfType", value: containingType },
  ]);
  expect(fileIn(extension)).toBe("buf/validate/validate.proto");
  expect(numbers?.value).toMatchObject({ baseTypeName: containingType, extensionNumber: [1159] });
});

test("reflection knows what stands in the details of errors, though no contract imports it", async () => {
  const [found] = await ask(ours, [{ case: "fileContainingSymbol", value: "tripe.type.v1.ErrorInfo" }]);
  expect(fileIn(found)).toBe("tripe/type/v1/error_info.proto");
});

test("reflection answers NOT_FOUND where the package does, and goes on", async () => {
  const questions: Question[] = [
    { case: "fileContainingSymbol", value: "tripe.Nothing" },
    { case: "fileByFilename", value: "nothing.proto" },
    { case: "allExtensionNumbersOfType", value: "tripe.Nothing" },
    { case: "listServices", value: "" },
  ];
  const codes = (answers: readonly Answer[]) =>
    answers.map(({ case: name, value }) => (name === "errorResponse" ? value.errorCode : name));
  const found = codes(await ask(ours, questions));
  expect(found).toEqual([5, 5, 5, "listServicesResponse"]);
  expect(found).toEqual(codes(await ask(oracle, questions)));
});
