import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterAll, expect, test } from "vitest";
import { getOf, NUMBER, NUMBER_DIGITS, postOf } from "./load-plan.ts";
import { openRawConnection } from "./raw-connection.ts";

const answers: ((socket: Socket) => void)[] = [];
const server = createServer((socket) => {
  socket.on("error", () => socket.destroy());
  socket.on("data", () => answers.shift()?.(socket));
}).listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;
const connection = openRawConnection(port);
afterAll(() => {
  connection.close();
  server.close();
});

function ask(answer: (socket: Socket) => void): Promise<number> {
  answers.push(answer);
  return new Promise((resolve) => connection.send("GET / HTTP/1.1\r\n\r\n", resolve));
}

test("an answer in one piece, and one with no body", async () => {
  expect(await ask((socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"))).toBe(200);
  expect(await ask((socket) => socket.write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))).toBe(404);
});

test("an answer in pieces, cut in its head and in its body", async () => {
  const pieces = ["HTTP/1.1 200 OK\r\ncontent-le", "ngth: 6\r\n\r\nab", "cd", "ef"];
  const status = await ask((socket) => {
    pieces.forEach((piece, at) => void setTimeout(() => socket.write(piece), at * 10));
  });
  expect(status).toBe(200);
});

test("a connection that breaks is status 0, and the next request opens another", async () => {
  expect(await ask((socket) => socket.destroy())).toBe(0);
  expect(await ask((socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"))).toBe(200);
});

test("a POST announces the length of its form, and has a place for its number", () => {
  const text = postOf("/v1/charges", "sk_test_x", { amount: "2000", currency: "usd" });
  expect(text).toContain("Content-Length: 24\r\n\r\namount=2000&currency=usd");
  expect(text.split(NUMBER)).toHaveLength(2);
  const [head = "", body = ""] = postOf("/v1/customers/cus_1", "sk_test_x", { description: NUMBER }).split("\r\n\r\n");
  const sent = body.replace(NUMBER, "0".repeat(NUMBER_DIGITS));
  expect(head).toContain(`Content-Length: ${sent.length}`);
  expect(sent).toBe("description=0000000000000000");
  expect(getOf("/v1/charges/ch_1", "sk_test_x")).toMatch(/^GET \/v1\/charges\/ch_1 HTTP\/1\.1\r\n[\s\S]*\r\n\r\n$/);
});
