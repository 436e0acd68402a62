import { systemClock } from "../clock.ts";
import { runService } from "../process.ts";
import { openListening } from "../security.ts";
import { createServer } from "../serve.ts";
import { ProbeService } from "./probe_pb.ts";
import { mayCallProbe } from "./probe-calls.ts";

// A process for tests: a probe whose reads take 300 ms, or as many as their text says. It says where it listens, and when it has ended.
await runService({
  name: "probe",
  start: async (context) => {
    const { log, clock } = context;
    const server = await createServer({
      name: "reader",
      services: [
        {
          service: ProbeService,
          implementation: {
            async read({ text }) {
              await systemClock.sleep(Number(text) || 300);
              return { text };
            },
            write: () => ({ text: String(process.pid) }),
          },
        },
      ],
      listening: await openListening("reader", context),
      log,
      clock,
      mayCall: mayCallProbe,
    });
    process.stdout.write(`${server.address}\n`);
    return {
      async close() {
        await server.close();
        process.stdout.write("closed\n");
      },
    };
  },
});
