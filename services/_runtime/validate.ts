import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { Code } from "@connectrpc/connect";
import { refuse } from "./errors.ts";
import { readRules } from "./message-rules.ts";

/** Refuses with INVALID_ARGUMENT, INVALID_FIELD and the field's path a message that breaks a rule of its contract. */
export function validate<D extends DescMessage>(schema: D, message: MessageShape<D>): void {
  const violation = readRules(schema)(message);
  if (violation === undefined) return;
  const path = pathToString([...violation.path]);
  refuse(Code.InvalidArgument, "INVALID_FIELD", `${path}: ${violation.words}`, path);
}
