import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { createServer as createTcpServer, type Socket } from "node:net";

/** A request as a merchant's server got it. */
export interface ReceivedRequest {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A real server of a merchant, on a free port of this machine. */
export interface Merchant {
  readonly port: number;
  readonly received: readonly ReceivedRequest[];
  close(): Promise<void>;
}

/** Starts a server that reads each request to its end and then answers as told. */
export async function startMerchant(answer: RequestListener): Promise<Merchant> {
  const received: ReceivedRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method, url, headers } = request;
      received.push({ method, url, headers, body: Buffer.concat(chunks) });
      answer(request, response);
    });
  });
  const port = await new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve(portOf(server.address()))),
  );
  const close = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { port, received, close };
}

/** Starts a server that does as told with each bare connection. */
export async function startBareServer(onConnection: (socket: Socket) => void): Promise<Omit<Merchant, "received">> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    // The other side hangs up in most tests: that is what they are about.
    socket.on("error", () => {});
    onConnection(socket);
  });
  const port = await new Promise<number>((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve(portOf(server.address()))),
  );
  const close = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { port, close };
}

function portOf(address: ReturnType<ReturnType<typeof createServer>["address"]>): number {
  return typeof address === "object" && address !== null ? address.port : 0;
}
