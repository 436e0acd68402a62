import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

// A merchant's servers, in a process of their own: every POST is answered 200, whatever its path, and counted. The first message
// to the parent is the port; each message of the parent is answered with the number of posts so far.

let posts = 0;

const server = createServer((request, response) => {
  request.resume();
  request.once("end", () => {
    posts += 1;
    response.writeHead(200, { "content-length": "0" }).end();
  });
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("message", () => process.send?.(posts));
process.once("disconnect", () => process.exit());
