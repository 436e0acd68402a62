import { runServiceProcess } from "../_runtime/hosting.ts";
import { startWriter } from "./start.ts";

await runServiceProcess("writer", startWriter);
