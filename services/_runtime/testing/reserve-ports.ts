import { createServer, type Server } from "node:net";

/** Below the ports that Linux (32768), macOS and Windows (49152) give to outgoing connections, one of which may come any time. */
const FIRST = 20_000;
const BLOCKS = 500;
/** A Tripe takes eleven ports; a test takes up to two of them. */
const BLOCK_SIZE = 24;

/**
 * Reserves consecutive ports of the loopback interface for this process and returns the first. Other processes that reserve
 * ports pass over the block for as long as this one lives, since it listens on the block's first port and gives away only those
 * after it; ports that other programs listen on are passed over too.
 */
export async function reservePorts(count: number): Promise<number> {
  if (count >= BLOCK_SIZE) throw new Error(`at most ${BLOCK_SIZE - 1} ports at once`);
  for (let tries = 0; tries < BLOCKS; tries += 1) {
    // Each process begins elsewhere, so that few blocks are tried twice.
    const first = FIRST + ((process.pid + tries) % BLOCKS) * BLOCK_SIZE;
    const lock = await listen(first);
    if (lock === undefined) continue;
    if (await areFree(first + 1, count)) {
      lock.unref();
      return first + 1;
    }
    await close(lock);
  }
  throw new Error(`no ${count} free ports between ${FIRST} and ${FIRST + BLOCKS * BLOCK_SIZE}`);
}

async function areFree(first: number, count: number): Promise<boolean> {
  for (let port = first; port < first + count; port += 1) {
    const probe = await listen(port);
    if (probe === undefined) return false;
    await close(probe);
  }
  return true;
}

/** Undefined when the port is taken. */
function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
