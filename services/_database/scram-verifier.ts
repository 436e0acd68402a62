import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

/** RFC 7677's least number; more would only slow each connection down, as the passwords are keys of 256 bits. */
const scramRounds = 4096;

/**
 * What Postgres stores of a SCRAM password (RFC 5803), made here so that the password itself never reaches a server or its
 * log. The salt is made from the password, which is itself a key of 256 bits and no other role's: the verifier is the same at
 * every start, so that a pooler which has read it keeps letting the role in.
 */
export function createVerifier(password: string): string {
  const salt = createHash("sha256").update(`salt ${password}`).digest().subarray(0, 16);
  const salted = pbkdf2Sync(password, salt, scramRounds, 32, "sha256");
  const hmac = (text: string) => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(hmac("Client Key")).digest("base64");
  const serverKey = hmac("Server Key").toString("base64");
  return `SCRAM-SHA-256$${scramRounds}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}
