import { runServiceProcess } from "../_runtime/hosting.ts";
import { startReader } from "./start.ts";

await runServiceProcess("reader", startReader);
