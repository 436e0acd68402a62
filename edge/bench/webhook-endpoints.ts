import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createId } from "../../services/_runtime/ids.ts";
import { addAccount } from "../testing/keys.ts";
import { NUMBER, postOf, type Template } from "./load-plan.ts";
import type { MeasuredTripe } from "./measured-tripe.ts";
import { createMerchant, post } from "./stored-customers.ts";

/** Merchants with an endpoint each, all of them served by one process. */
export interface Endpoints {
  /** Changes of customers of these merchants, alike for each: one event a request. */
  readonly templates: readonly Template[];
  /** Posts that were taken so far. */
  countPosts(): Promise<number>;
  close(): void;
}

/** Makes so many merchants with a customer and an endpoint each. */
export async function createEndpoints(tripe: MeasuredTripe, count: number): Promise<Endpoints> {
  const sink = fork(join(import.meta.dirname, "webhook-sink.ts"), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const sinkPort = await nextNumber(sink);
  const ownerUrl = await tripe.roleUrl("owner");
  const templates: Template[] = [];
  for (let at = 0; at < count; at += 1) {
    const key = createId("sk_test_");
    await addAccount(ownerUrl, key);
    const { customerIds } = await createMerchant(tripe.port, 1, key);
    const endpoint = { url: `http://127.0.0.1:${sinkPort}/${at}`, "enabled_events[0]": "*" };
    await post(tripe.port, key, "/v1/webhook_endpoints", endpoint);
    // Each change differs from the one before: what changes nothing is no event.
    for (const id of customerIds) {
      templates.push({ text: postOf(`/v1/customers/${id}`, key, { description: NUMBER }), weight: 1 });
    }
  }
  return {
    templates,
    countPosts: () => {
      const answer = nextNumber(sink);
      sink.send("count");
      return answer;
    },
    close: () => sink.disconnect(),
  };
}

async function nextNumber(sink: ChildProcess): Promise<number> {
  const [message] = await once(sink, "message");
  return Number(message);
}
