import { runServiceProcess } from "../_runtime/hosting.ts";
import { startMailer } from "./start.ts";

await runServiceProcess("mailer", startMailer);
