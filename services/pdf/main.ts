import { runServiceProcess } from "../_runtime/hosting.ts";
import { startPdf } from "./start.ts";

await runServiceProcess("pdf", startPdf);
