/** RFC 5321: 64 letters before the @, 254 in all. */
export const ADDRESS_MAX = 254;
// Narrower than the RFC, as mail servers are: no quotes, comments, spaces or control characters, so that nothing in an
// address can end a command or a header. Letters of other scripts may be in it (RFC 6531).
const pattern = /^[^\s\p{C}@<>()[\]:;,"\\]{1,64}@[^\s\p{C}@<>()[\]:;,"\\.]+(\.[^\s\p{C}@<>()[\]:;,"\\.]+)*$/u;

/** Says whether a text can be used as an email address. The edge takes no other, and the mailer mails to no other. */
export function isAddress(text: string): boolean {
  return text.length <= ADDRESS_MAX && pattern.test(text);
}
