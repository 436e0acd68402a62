import { runServiceProcess } from "../_runtime/hosting.ts";
import { startTransactions } from "./start.ts";

await runServiceProcess("transactions", startTransactions);
