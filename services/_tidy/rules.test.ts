import type { DescService } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ReaderService } from "../../gen/tripe/reader/v1/reader_service_pb.ts";
import { findBorderCrossings } from "./borders.ts";
import { findUnusedRights } from "./calls.ts";
import { findUnboundedFields } from "./contracts.ts";
import * as habits from "./habits.ts";
import { findUntestedReasons, findUntestedRpcs } from "./named.ts";
import { findFalseArrows } from "./picture.ts";
import { findUnknownScripts } from "./scripts.ts";
import { findLongFile, findLongFunctions } from "./sizes.ts";
import { type Finding, parseSource, type Source } from "./source.ts";
import { findMachineTime } from "./sql.ts";

/** A rule, a file, its text, and the lines at which the rule must find something: each rule by what breaks it and what does not. */
const cases: [(source: Source) => Finding[], string, string, number[]][] = [
  [findBorderCrossings, "services/reader/a.ts", 'import "../_database/connect.ts";\nimport "./b.ts";', []],
  [findBorderCrossings, "services/reader/a.ts", 'import "../_runtime/ids.ts";\nimport "../writer/b.ts";', [2]],
  [findBorderCrossings, "services/pdf/a.ts", 'export * from "../_database/connect.ts";', [1]],
  [findBorderCrossings, "services/pdf/a.ts", 'type A = import("../_views/wire.ts").Wire<1>;', [1]],
  [findBorderCrossings, "services/webhooks/a.ts", 'import "../_views/event.ts";', []],
  [findBorderCrossings, "services/_runtime/a.ts", 'import "../../gen/a.ts";\nawait import("../_billing/a.ts");', [2]],
  [findBorderCrossings, "gen/a.ts", 'import "../services/_runtime/ids.ts";', [1]],
  [findBorderCrossings, "edge/actions/a.ts", 'import "../../services/_views/a.ts";', []],
  [findBorderCrossings, "edge/actions/a.ts", 'import "../../services/_database/a.ts";', [1]],
  [findBorderCrossings, "edge/actions/a.ts", 'import fastify from "fastify";\nimport "kysely";', [2]],
  [findBorderCrossings, "services/mailer/a.ts", 'import { X } from "nodemailer/lib/x";\nimport "pdfkit";', [2]],
  [findBorderCrossings, "services/pdf/a.ts", 'import type { Pool } from "pg";', [1]],
  [findBorderCrossings, "services/all.ts", 'import "./pdf/service.ts";\nimport "./pdf/main.ts";', [2]],
  [findBorderCrossings, "services/pdf/a.test.ts", 'import "../_database/testing.ts";\nimport "./main.ts";', [2]],
  [findBorderCrossings, "services/writer/a.ts", 'import "../_database/testing.ts";', [1]],
  [findLongFile, "proto/a.proto", "a\n".repeat(300), []],
  [findLongFile, "proto/a.proto", "a\n".repeat(301), [301]],
  [findLongFunctions, "a.ts", `\nconst f = () => {${"\n".repeat(69)}};`, []],
  [findLongFunctions, "a.ts", `\nclass A { f() {${"\n".repeat(70)}} }`, [2]],
  [habits.findDefaultExports, "a.ts", "const a = 1;\nexport { a as default };", [2]],
  [habits.findDefaultExports, "a.ts", "export default 1;", [1]],
  [habits.findEnvironmentReaders, "a.ts", 'process.env.A;\nimport { env } from "node:process";\nprocess.pid;', [1, 2]],
  [habits.findEnvironmentReaders, "services/_runtime/config.ts", "process.env;", []],
  [
    habits.findTimeReaders,
    "a.ts",
    "Date.now();\nnew Date();\nnew Date(0);\nDate.UTC(2026);\nconst f = Date.now;",
    [1, 2, 5],
  ],
  [habits.findTimeReaders, "services/_runtime/clock.ts", "Date.now();", []],
  [habits.findUncheckedTypes, "a.ts", "let a: any;\nlet b!: string;\nb!.length;\nconst any = !b;", [1, 2, 3]],
  [
    habits.findAsyncHooks,
    "a.ts",
    `app.addHook("${"onSend"}", async () => {});\napp.addHook("onClose", async () => {});\napp.addHook("onSend", (a, b) => b());`,
    [1],
  ],
  [habits.findNotesToSelf, "a.ts", `// ${"TO"}${"DO"} later\n// mastodon`, [1]],
  [habits.findBareExports, "a.ts", "/** Why. */\nexport const a = 1;\nexport const b = 1;\nexport { a as c };", [3]],
  [
    habits.findBareExports,
    "a.ts",
    "/* not a doc */\nexport type A = 1;\n/** Of b. */\nconst b = 1;\nexport class C {}",
    [2, 5],
  ],
  [
    habits.findBareExports,
    "a.ts",
    "/** Why. */\nexport function f(a: 1): 1;\nexport function f(a: 2): 2;\nexport function f() {}\n/** Why. */\n// biome-ignore x: y\nexport const g = 1;",
    [],
  ],
  [habits.findVagueNames, "services/reader/utils.ts", "", [1]],
  [habits.findVagueNames, "services/reader/getCharge.ts", "", [1]],
  [habits.findVagueNames, "services/reader/get-charge.test.ts", "", []],
  [
    findMachineTime,
    "services/reader/a.ts",
    "const q = `select now()`;\nnow();\nconst r = `select business_now($1)`;",
    [1],
  ],
  [
    findMachineTime,
    "services/reader/a.ts",
    'const q = "x < current_timestamp";\nfn("now");\ndb.fn<Date>("now", []);',
    [1, 2, 3],
  ],
  [findMachineTime, "services/reader/a.sql", "select 1;\nselect clock_timestamp();", [2]],
  [findMachineTime, "services/_database/migrations/0001_a.sql", "select now();", []],
];

test.each(cases)("%o in %s: %o is wrong in lines %o", (rule, path, text, lines) => {
  const findings = rule(parseSource(path, text));
  expect(findings.map((finding) => finding.split(" ")[0])).toEqual(lines.map((line) => `${path}:${line}`));
});

test("a rpc is tested when a test names it in either spelling", () => {
  const tests = ReaderService.methods.map(({ localName }) => `await client.${localName}({});`).slice(1);
  const [untested] = ReaderService.methods;
  const named = parseSource("edge/a.test.ts", tests.join("\n"));
  const elsewhere = parseSource("edge/a.ts", `client.${untested?.localName}({});`);
  expect(findUntestedRpcs([ReaderService], [named, elsewhere])).toEqual([
    `proto/tripe/reader/v1/reader_service.proto:1 no test names tripe.reader.v1.ReaderService/${untested?.name}`,
  ]);
  const inWords = parseSource("edge/b.test.ts", `test("${untested?.name} answers", () => {});`);
  expect(findUntestedRpcs([ReaderService], [named, inWords])).toEqual([]);
});

test("a reason is tested when a test names it, however it was chosen", () => {
  const code = parseSource(
    "services/writer/a.ts",
    'refuse(1, "A_ONE", "NOT_IT");\nrefuse(1, isB ? "B_TWO" : "C_THREE", "");\nthrow createRefusal({ code: 1, reason: "D_FOUR" });',
  );
  const tests = parseSource("services/writer/a.test.ts", 'expect(reason).toBe("C_THREE");');
  expect(findUntestedReasons([code, tests])).toEqual([
    "services/writer/a.ts:1 no test names the reason A_ONE",
    "services/writer/a.ts:2 no test names the reason B_TWO",
    "services/writer/a.ts:3 no test names the reason D_FOUR",
  ]);
});

test("a page may only name commands that package.json has", () => {
  const page = parseSource("README.md", "Run `npm run keys -- list`.\n`npm run kyes`, `npm start`\n");
  expect(findUnknownScripts(page, { keys: "" })).toEqual(["README.md:2 names the script kyes, which is not there"]);
});

test("a table of callers must say what the topology says, and a page without one says nothing", () => {
  const head = "| caller \\ callee | reader | scheduler |\n|---|---|---|\n";
  expect(findFalseArrows(parseSource("README.md", `${head}| edge | x | \`GetStatus\` |\n| pdf, bank | | |\n`))).toEqual(
    [],
  );
  expect(findFalseArrows(parseSource("README.md", "| service | port |\n"))).toEqual([]);
  expect(findFalseArrows(parseSource("README.md", `\n${head}| edge | x | x |\n| pdf | x | |\n| moon | | |\n`))).toEqual(
    [
      'README.md:4 says "x" for edge to scheduler, not "GetStatus"',
      'README.md:5 says "x" for pdf to reader, not ""',
      "README.md:6 knows no moon or reader",
      "README.md:6 knows no moon or scheduler",
    ],
  );
});

test("a right that its caller's source never uses is found", () => {
  const all = findUnusedRights([]);
  expect(all).toContain("services/_runtime/topology.ts:1 lists bank.SealCard for edge, which never calls it");
  const used = findUnusedRights([parseSource("edge/cards.ts", "bank.sealCard({})")]);
  expect(all.filter((finding) => !used.includes(finding))).toEqual([
    "services/_runtime/topology.ts:1 lists bank.SealCard for edge, which never calls it",
  ]);
  expect(findUnusedRights([parseSource("edge/cards.test.ts", "bank.sealCard({})")])).toEqual(all);
});

test("a field without a bound is found in its proto file, also deep below a request", () => {
  const proto = parseSource("proto/tripe/reader/v1/customers.proto", "");
  const bare = withoutRules(ReaderService);
  const findings = findUnboundedFields([bare], [proto]);
  expect(findings).toContain(
    "proto/tripe/reader/v1/customers.proto:1 tripe.reader.v1.GetCustomerRequest.customer_id has no max_len",
  );
  expect(findings.length).toBeGreaterThan(findUnboundedFields([ReaderService], [proto]).length);
});

/** The service with every option of every field taken away. */
function withoutRules(service: DescService): DescService {
  const methods = service.methods.map((method) => {
    const fields = method.input.fields.map((field) => ({ ...field, proto: { ...field.proto, options: undefined } }));
    return { ...method, input: { ...method.input, fields } };
  });
  // The copies keep every property but the options; the compiler cannot tell, since descriptors type `method` by name too.
  return { ...service, methods } as DescService;
}
