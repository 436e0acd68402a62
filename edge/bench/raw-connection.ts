import { connect, type Socket } from "node:net";

/** One HTTP/1.1 connection without a library around it: one request at a time, of the answer only its status. */
export interface RawConnection {
  /** Sends a whole request; `done` is called once, with the status, or 0 when the connection broke. */
  send(text: string, done: (status: number) => void): void;
  close(): void;
}

/** More than any answer here has; a longer one comes in several reads. */
const BUFFER_BYTES = 65_536;
const HEAD_END = "\r\n\r\n";
const LENGTH = "\r\ncontent-length:";

/** Opens one, again whenever it broke. All connections of a process may share a read buffer, since nothing of it is kept. */
export function openRawConnection(port: number, buffer: Uint8Array = Buffer.allocUnsafe(BUFFER_BYTES)): RawConnection {
  let socket: Socket | undefined;
  let done: ((status: number) => void) | undefined;
  // Of an answer that is not whole yet: its head as far as it came, then how many bytes of its body are still to come.
  let head = "";
  let status = 0;
  let missing = -1;

  function end(given: number): void {
    const callback = done;
    done = undefined;
    head = "";
    missing = -1;
    callback?.(given);
  }

  function onBytes(count: number, bytes: Uint8Array): boolean {
    if (missing >= 0) {
      missing -= count;
    } else {
      head += Buffer.from(bytes.buffer, bytes.byteOffset, count).toString("latin1");
      const headEnd = head.indexOf(HEAD_END);
      if (headEnd < 0) return true;
      status = Number(head.slice(9, 12));
      missing = bodyLengthOf(head, headEnd) - (head.length - headEnd - HEAD_END.length);
    }
    if (missing <= 0) end(status);
    return true;
  }

  function open(): Socket {
    const opened = connect({ host: "127.0.0.1", port, noDelay: true, onread: { buffer, callback: onBytes } });
    opened.on("error", () => opened.destroy());
    opened.once("close", () => {
      if (socket !== opened) return;
      socket = undefined;
      end(0);
    });
    return opened;
  }

  return {
    send(text, callback) {
      done = callback;
      socket ??= open();
      socket.write(text, "latin1");
    },
    close() {
      const closing = socket;
      socket = undefined;
      closing?.destroy();
    },
  };
}

/** The length that a head announces. Tripe announces one with every answer; without it this program cannot find the end. */
export function bodyLengthOf(head: string, headEnd: number): number {
  let at = head.indexOf(LENGTH);
  if (at < 0 || at > headEnd) at = head.toLowerCase().indexOf(LENGTH);
  if (at < 0 || at > headEnd) throw new Error("an answer without content-length");
  return Number.parseInt(head.slice(at + LENGTH.length, at + LENGTH.length + 12), 10);
}
