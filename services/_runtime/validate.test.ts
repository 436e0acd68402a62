import { create, type DescMessage } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator } from "@bufbuild/protovalidate";
import { Code } from "@connectrpc/connect";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { contracts } from "./clients.ts";
import { refusalOf } from "./errors.ts";
import { anyMessage } from "./testing/any-message.ts";
import { ReadRequestSchema } from "./testing/probe_pb.ts";
import { EveryRuleSchema, Kind } from "./testing/rules_pb.ts";
import { validate } from "./validate.ts";

const oracle = createValidator({ failFast: true });

/** What protovalidate says is wrong first, as `validate` words it; "" when nothing is. */
function expected(schema: DescMessage, message: ReturnType<typeof create>): string {
  const result = oracle.validate(schema, message);
  if (result.kind === "error") throw result.error;
  const [violation] = result.violations ?? [];
  return violation === undefined ? "" : `${pathToString(violation.field)}: ${violation.message}`;
}

function found(schema: DescMessage, message: ReturnType<typeof create>): string {
  try {
    validate(schema, message);
    return "";
  } catch (error) {
    return refusalOf(error)?.message ?? String(error);
  }
}

const requests = Object.values(contracts).flatMap(({ methods }) => methods.map(({ input }) => input));

test.each(requests.map((schema): [string, DescMessage] => [schema.typeName, schema]))(
  "a %s is judged as protovalidate judges it, at the same field",
  (_name, schema) => {
    const property = fc.property(anyMessage(schema), (message) => {
      expect(found(schema, message)).toBe(expected(schema, message));
    });
    fc.assert(property, { numRuns: 100 });
  },
);

test("every rule, wherever a contract may put it, is judged as protovalidate judges it", () => {
  const met = new Set<string>();
  const property = fc.property(anyMessage(EveryRuleSchema, 1), (message) => {
    const words = expected(EveryRuleSchema, message);
    met.add(words.replace(/^[^:]*: /, ""));
    expect(found(EveryRuleSchema, message)).toBe(words);
  });
  fc.assert(property, { numRuns: 200 });
  // There are 19 ways to say that a rule is broken; most have been met.
  expect(met.size).toBeGreaterThan(10);
});

test("validate accepts a message that keeps every rule", () => {
  const message = create(EveryRuleSchema, {
    text: "Łódź",
    matching: "a-1",
    data: new Uint8Array(3),
    digest: new Uint8Array(4),
    above: -1,
    from: 2n ** 53n + 1n,
    to: -(2n ** 53n) - 1n,
    kind: Kind.THREE,
    kinds: [Kind.ONE, Kind.UNSPECIFIED],
    pairs: { key: new Uint8Array(2) },
    needed: "",
    nonzero: -1,
    filled: [""],
    neededPart: {},
  });
  expect(found(EveryRuleSchema, message)).toBe(expected(EveryRuleSchema, message));
  expect(found(EveryRuleSchema, message)).toBe("");
});

test("validate refuses with the path of the field at fault", () => {
  const message = create(ReadRequestSchema, { part: { word: "too long" } });
  const act = () => validate(ReadRequestSchema, message);
  expect(act).toThrow("part.word: must be at most 5 characters");
  try {
    act();
  } catch (error) {
    expect(refusalOf(error)).toMatchObject({
      code: Code.InvalidArgument,
      reason: "INVALID_FIELD",
      field: "part.word",
    });
  }
});

test("validate counts characters, of which some are two units of JavaScript", () => {
  expect(() => validate(ReadRequestSchema, create(ReadRequestSchema, { text: "𝑎".repeat(20) }))).not.toThrow();
  expect(() => validate(ReadRequestSchema, create(ReadRequestSchema, { text: "𝑎".repeat(21) }))).toThrow("text: ");
});
