import { runService } from "../../_runtime/process.ts";
import { startSandboxBank } from "./start.ts";

await runService({ name: "sandbox-bank", start: startSandboxBank });
