import { isSettingName, settingEntries } from "./config-table.ts";

/** Variables that Tripe read once: what is set and not carried out must not be passed over. */
const retired: Readonly<Record<string, string>> = {
  DATABASE_REPLICA_URL: "Tripe reads from DATABASE_URL alone",
};

/**
 * Refuses a variable that looks like a setting and is none, since a slip of the pen would otherwise leave a default in force
 * unnoticed. Variables that Kubernetes and Docker make for a service named "tripe…" pass.
 */
export function refuseUnknownSettings(env: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value.trim() === "") continue;
    const reason = retired[name];
    if (reason !== undefined) throw new Error(`${name} is no setting of Tripe: ${reason}`);
    if (!name.startsWith("TRIPE_") || isSettingName(name) || isServiceLink(name, value)) continue;
    throw new Error(`${name} is no setting of Tripe; ${suggest(name)}`);
  }
}

/** Variables such as TRIPE_READER_SERVICE_HOST and TRIPE_PORT=tcp://10.0.0.1:80, which orchestrators inject. */
function isServiceLink(name: string, value: string): boolean {
  if (/_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$/.test(name)) return true;
  if (/_PORT_\d+_(TCP|UDP|SCTP)_(PROTO|PORT|ADDR)$/.test(name)) return true;
  return /_PORT(_\d+_(TCP|UDP|SCTP))?$/.test(name) && /^(tcp|udp|sctp):\/\//.test(value);
}

function suggest(name: string): string {
  const distances = settingEntries.map(([known]) => ({ known, distance: distanceOf(name, known) }));
  const [nearest] = distances.sort((a, b) => a.distance - b.distance);
  // Beyond a third of its letters, a name has another setting's shape by chance.
  if (nearest === undefined || nearest.distance > name.length / 3) return "README.md lists the settings";
  return `did you mean ${nearest.known}?`;
}

/** Levenshtein's distance: how many letters have to be put in, left out or replaced. */
function distanceOf(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
