import { systemClock } from "../../_runtime/clock.ts";
import { waitForParentsEnd } from "../parent.ts";

// Run by parent.test.ts as npm runs a script. Holds its standard output open until its parents are gone.
const ended = waitForParentsEnd(systemClock, new AbortController().signal);
process.stdout.write("waiting\n");
await ended;
