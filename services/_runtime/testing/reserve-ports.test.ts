import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { reservePorts } from "./reserve-ports.ts";

test("ports reserved twice do not overlap, in this process or another", async () => {
  const program = `import { reservePorts } from ${JSON.stringify(new URL("./reserve-ports.ts", import.meta.url).href)};
    Object.defineProperty(process, "pid", { value: ${process.pid} });
    console.log(await reservePorts(20));`;
  const firsts = [await reservePorts(20), await reservePorts(20)];
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  const sorted = [...firsts, Number(stdout)].toSorted((one, other) => one - other);
  for (const [index, first] of sorted.slice(1).entries())
    expect(first - (sorted[index] ?? 0)).toBeGreaterThanOrEqual(20);
});

test("a port that another program listens on is passed over", async () => {
  const first = await reservePorts(1);
  const program = createServer();
  await new Promise<void>((resolve) => program.listen(first + 24 + 5, "127.0.0.1", resolve));
  expect(await reservePorts(10)).not.toBe(first + 24);
  await new Promise((resolve) => program.close(resolve));
});
