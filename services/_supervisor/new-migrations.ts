import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const usual = fileURLToPath(new URL("../_database/migrations", import.meta.url));

/**
 * Remembers which migrations this Tripe was started with, and gives the function that refuses, in words, a program on disk that has more:
 * its processes might need what the database has only after the next start.
 */
export function createMigrationCheck(folder = usual): () => void {
  const known = new Set(readdirSync(folder));
  return () => {
    const fresh = readdirSync(folder).filter((name) => !known.has(name));
    if (fresh.length === 0) return;
    throw new Error(`the program on disk has new migrations (${fresh.sort().join(", ")}): stop Tripe and start it`);
  };
}
