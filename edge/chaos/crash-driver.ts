import { writeSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { crashAt, watchCrashPoints } from "../../services/_runtime/crash-points.ts";
import type { Order } from "./crash-order.ts";

// One of Tripe's actions, in a process that holds every service it needs. It dies at the crash point it was told to and
// says that point's name; told none, it lives, and says the name of each. Its order is a JSON text, its only argument.
const order: Order = JSON.parse(process.argv[2] ?? "{}");
// A killed process keeps nothing: what is compiled is kept by the one that lives, which runs first.
enableCompileCache(order.cacheDir);
const { prepare } = await import("./crash-wiring.ts");
const act = await prepare(order);
const names: string[] = [];
if (order.dieAt === 0) watchCrashPoints((name) => names.push(name));
else crashAt(order.dieAt, (name) => writeSync(1, name));
await act();
writeSync(1, names.join("\n"));
process.exit(0);
