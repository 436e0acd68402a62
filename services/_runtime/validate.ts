import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator } from "@bufbuild/protovalidate";
import { Code } from "@connectrpc/connect";
import { refuse } from "./errors.ts";

const validator = createValidator({ failFast: true });

/** Refuses with INVALID_ARGUMENT, INVALID_FIELD and the field's path a message that breaks a rule of its contract. */
export function validate<D extends DescMessage>(schema: D, message: MessageShape<D>): void {
  const result = validator.validate(schema, message);
  if (result.kind === "valid") return;
  if (result.kind === "error") throw new Error(`the rules of ${schema.typeName} are broken`, { cause: result.error });
  const [violation] = result.violations;
  const path = violation === undefined ? "" : pathToString(violation.field);
  refuse(Code.InvalidArgument, "INVALID_FIELD", `${path}: ${violation?.message ?? "is not valid"}`, path);
}

/** Compiles a message's rules ahead of the first call, which would else wait for it (up to 100 ms). */
export function warmValidation(schema: DescMessage): void {
  validator.validate(schema, create(schema));
}
