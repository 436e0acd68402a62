import { endQuietlyWithReader } from "../../services/_runtime/quiet-pipe.ts";
import { runAccountCommand } from "./account-commands.ts";
import { runAsOperator } from "./run-as-operator.ts";

endQuietlyWithReader();

// npm run accounts -- create|update|list|show: the merchants of this Tripe. Each has an account in the sandbox and a live one.
const [command = "list", ...words] = process.argv.slice(2);
await runAsOperator((tools) => runAccountCommand(tools, command, words));
