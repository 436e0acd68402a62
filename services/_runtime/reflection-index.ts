import type { DescEnum, DescExtension, DescFile, DescMessage, DescService } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";

/** Where everything that some services speak of is declared. */
export interface ReflectionIndex {
  /** By name, such as "tripe/bank/v1/bank_service.proto". */
  readonly files: ReadonlyMap<string, DescFile>;
  /** By the full name of a type, or of a field, a value or an rpc in it. */
  readonly symbols: ReadonlyMap<string, DescFile>;
  /** By the full name of the message that they extend. */
  readonly extensions: ReadonlyMap<string, readonly DescExtension[]>;
}

/** Goes through files, and through those that they import. */
export function createReflectionIndex(roots: readonly DescFile[]): ReflectionIndex {
  const files = listFiles(roots);
  const types = files.flatMap((file) => [...nestedTypes(file)]);
  const symbols = types.flatMap((type) => {
    const inside = membersOf(type).map(({ name }) => `${type.typeName}.${name}`);
    return [type.typeName, ...inside].map((symbol): [string, DescFile] => [symbol, type.file]);
  });
  const extensions = types.filter((type) => type.kind === "extension");
  return {
    files: new Map(files.map((file) => [file.proto.name, file])),
    symbols: new Map(symbols),
    extensions: Map.groupBy(extensions, ({ extendee }) => extendee.typeName),
  };
}

/** The files, and all that they import, each once, in the order in which they are first spoken of. */
export function listFiles(files: readonly DescFile[]): DescFile[] {
  const found = new Set<DescFile>();
  const add = (file: DescFile) => {
    if (found.has(file)) return;
    found.add(file);
    file.dependencies.forEach(add);
  };
  files.forEach(add);
  return [...found];
}

function membersOf(type: DescMessage | DescEnum | DescService | DescExtension): readonly { readonly name: string }[] {
  switch (type.kind) {
    case "message":
      return type.members;
    case "enum":
      return type.values;
    case "service":
      return type.methods;
    case "extension":
      return [];
  }
}
