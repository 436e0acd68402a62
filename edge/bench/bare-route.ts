import type { AddressInfo } from "node:net";
import Fastify from "fastify";

// The yardstick of GET: a Fastify route that answers the same bytes from memory, in a process of its own. The parent sends the
// answers by their paths, and gets the port in return.

process.once("message", (answers) => void serve(answers as Readonly<Record<string, string>>));
process.once("disconnect", () => process.exit());

async function serve(answers: Readonly<Record<string, string>>): Promise<void> {
  const app = Fastify();
  app.get("/*", (request, reply) => {
    const answer = answers[request.url];
    return answer === undefined ? reply.code(404).send() : reply.type("application/json").send(answer);
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  process.send?.((app.server.address() as AddressInfo).port);
}
