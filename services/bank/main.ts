import { runServiceProcess } from "../_runtime/hosting.ts";
import { startBank } from "./start.ts";

await runServiceProcess("bank", startBank);
