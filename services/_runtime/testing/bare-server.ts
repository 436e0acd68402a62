import { Server, ServerCredentials } from "@grpc/grpc-js";
import { onTestFinished } from "vitest";

/** Serves what `add` adds to a bare grpc-js server until the test ends; resolves to its address, as host:port. */
export async function serveBare(add: (server: Server) => void): Promise<string> {
  const server = new Server();
  add(server);
  onTestFinished(() => server.forceShutdown());
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return `127.0.0.1:${port}`;
}
