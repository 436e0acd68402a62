import type { Socket } from "node:net";

/**
 * Makes a function that writes framed messages to a connection: all of one turn of the event loop leave in one write, which at
 * thousands of messages a second is what the two sides would spend most of their time on. Does nothing once the connection is closed.
 */
export function createFrameWriter(socket: Socket): (framed: Buffer) => void {
  let isCorked = false;
  return (framed) => {
    if (socket.destroyed) return;
    if (!isCorked) {
      isCorked = true;
      socket.cork();
      process.nextTick(() => {
        isCorked = false;
        socket.uncork();
      });
    }
    socket.write(framed);
  };
}
