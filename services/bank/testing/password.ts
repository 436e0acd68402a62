import { createSecret, type Secret } from "../../_runtime/secret.ts";
import { createPasswordCheck, digestOf } from "../../_runtime/tokens.ts";

/** What signs on at the sandbox banks of tests: element 96. */
export const testPassword = "00112233445566778899AABBCCDDEEFF";

/** The same, as a connector takes it. */
export const testPasswordSecret: Secret = createSecret(testPassword);

/** Judges it, as the bank does. */
export const isTestPassword: (password: string | undefined) => boolean = createPasswordCheck(digestOf(testPassword));
