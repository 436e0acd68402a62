import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { DescFile, DescService } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { findBorderCrossings } from "./_tidy/borders.ts";
import { findUnusedRights } from "./_tidy/calls.ts";
import { findUnboundedFields } from "./_tidy/contracts.ts";
import * as habits from "./_tidy/habits.ts";
import { findUntestedReasons, findUntestedRpcs } from "./_tidy/named.ts";
import { findFalseArrows } from "./_tidy/picture.ts";
import { findUnknownScripts } from "./_tidy/scripts.ts";
import { findLongFile, findLongFunctions } from "./_tidy/sizes.ts";
import { type Finding, readSources, root, type Source } from "./_tidy/source.ts";
import { findMachineTime } from "./_tidy/sql.ts";

const sources = readSources(["services", "edge"], ".ts").filter(({ path }) => !path.endsWith("_pb.ts"));
const generated = readSources(["gen"], ".ts");
const queries = [...sources, ...readSources(["services", "edge"], ".sql")];
const protos = readSources(["proto"], ".proto");
const pages = readSources(["README.md", "services", "edge", "proto"], "README.md");
const services = await readServices();
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Each rule by its sentence; a rule that fails lists every place, as path:line. */
const rules: Record<string, () => Finding[]> = {
  "imports keep to the borders of the layout": () => every([...sources, ...generated], findBorderCrossings),
  "no file is longer than 300 lines": () => every([...sources, ...protos], findLongFile),
  "no function is longer than 70 lines": () => every(sources, findLongFunctions),
  "nothing is exported as a default": () => every(sources, habits.findDefaultExports),
  "only the configuration reads the environment": () => every(sources, habits.findEnvironmentReaders),
  "only the clock asks the machine for the time": () => every(sources, habits.findTimeReaders),
  "nothing switches the compiler off": () => every(sources, habits.findUncheckedTypes),
  "nothing is left as a note to oneself": () => every([...queries, ...protos], habits.findNotesToSelf),
  "hooks of requests call back": () => every(sources, habits.findAsyncHooks),
  "every export has a doc comment": () => every(sources, habits.findBareExports),
  "every file is named for the one thing inside": () => every(sources, habits.findVagueNames),
  "no query asks for another time than business_now()": () => every(queries, findMachineTime),
  "every rpc is named in a test": () => findUntestedRpcs(services, sources),
  "every reason of a refusal is named in a test": () => findUntestedReasons(sources),
  "every field of a request has a bound": () => findUnboundedFields(services, protos),
  "every rpc that a caller may call it calls": () => findUnusedRights(sources),
  "every command that a page names is there": () => every(pages, (page) => findUnknownScripts(page, scripts)),
  "every table of callers shows the topology": () => every(pages, findFalseArrows),
};

test.each(Object.entries(rules))("%s", (_sentence, findAll) => {
  expect(findAll()).toEqual([]);
});

test("there is something to keep tidy", () => {
  expect(sources.length).toBeGreaterThan(0);
  expect(services.length).toBe(9);
});

function every(those: readonly Source[], rule: (source: Source) => Finding[]): Finding[] {
  return those.flatMap(rule);
}

async function readServices(): Promise<DescService[]> {
  const paths = generated.map(({ path }) => path).filter((path) => path.endsWith("_service_pb.ts"));
  const modules = await Promise.all(
    paths.map((path) => import(/* @vite-ignore */ pathToFileURL(join(root, path)).href)),
  );
  return modules.flatMap((module: Record<string, DescFile | DescService>) =>
    Object.values(module).filter((desc) => desc.kind === "service"),
  );
}
