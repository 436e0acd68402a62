/**
 * Longest message either side takes, in bytes. Ours stay below 600; a bank may add elements of up to 999 characters. Below 0x2020, so that
 * text (another protocol's, or a length written in digits) is found out by its first two bytes, which would be a length above this.
 */
export const MESSAGE_BYTES_MAX = 8_191;

/** Bytes of the header: the length of what follows, unsigned, big endian, as jPOS's PostChannel has it. */
export const HEADER_BYTES = 2;

/**
 * Lengths of nothing in a row that a reader takes: hosts send them to keep a connection alive. Between two echoes (20 s) a host that sends
 * one a second stays far below; a stream of zeros, which is no message, does not pass.
 */
export const KEEP_ALIVES_MAX = 100;

/** A length that no message has: the two sides have lost each other in the stream, and the connection must be given up. */
export class FrameError extends Error {
  constructor(lengthBytes: number) {
    super(`ISO 8583 frame: a length of ${lengthBytes} bytes, where 1 to ${MESSAGE_BYTES_MAX} are allowed`);
    this.name = "FrameError";
  }
}

/** Puts the header before a message. Throws FrameError when it is empty or too long. */
export function frame(message: Buffer): Buffer {
  assertLength(message.length);
  const framed = Buffer.allocUnsafe(HEADER_BYTES + message.length);
  framed.writeUInt16BE(message.length, 0);
  message.copy(framed, HEADER_BYTES);
  return framed;
}

/** Cuts a byte stream into messages. It holds at most one unfinished message. */
export interface FrameReader {
  /** Takes the next bytes and gives the messages they complete. A length of nothing keeps the connection alive and is no message. Throws FrameError. */
  push(chunk: Buffer): Buffer[];
}

/** Makes a reader for one connection. */
export function createFrameReader(): FrameReader {
  let rest: Buffer = Buffer.alloc(0);
  let keepAlives = 0;
  return {
    push(chunk) {
      let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const messages: Buffer[] = [];
      while (bytes.length >= HEADER_BYTES) {
        const lengthBytes = bytes.readUInt16BE(0);
        keepAlives = lengthBytes === 0 ? keepAlives + 1 : 0;
        if (keepAlives > 0 && keepAlives <= KEEP_ALIVES_MAX) {
          bytes = bytes.subarray(HEADER_BYTES);
          continue;
        }
        assertLength(lengthBytes);
        if (bytes.length < HEADER_BYTES + lengthBytes) break;
        messages.push(bytes.subarray(HEADER_BYTES, HEADER_BYTES + lengthBytes));
        bytes = bytes.subarray(HEADER_BYTES + lengthBytes);
      }
      rest = bytes;
      return messages;
    },
  };
}

function assertLength(lengthBytes: number): void {
  if (lengthBytes < 1 || lengthBytes > MESSAGE_BYTES_MAX) throw new FrameError(lengthBytes);
}
