/** A fact of a letter: what it is called and what it is. */
export type Fact = readonly [label: string, value: string];

/** What a mail says, before it is text or HTML. Every word is plain text; nothing in it is markup. */
export interface Letter {
  readonly subject: string;
  /** Who writes: the merchant's name. */
  readonly sender: string;
  /** The one thing to know, in large letters. */
  readonly headline: string;
  readonly paragraphs: readonly string[];
  readonly facts: readonly Fact[];
  /** Where to read more, an http or https URL; undefined for nowhere. */
  readonly link: { readonly label: string; readonly url: string } | undefined;
  /** Whom to ask; empty for nobody. */
  readonly questionsTo: string;
}

/** Writes a letter as plain text, one thought a paragraph. */
export function renderText(letter: Letter): string {
  const facts = letter.facts.map(([label, value]) => `${label}: ${value}`).join("\n");
  const link = letter.link === undefined ? "" : `${letter.link.label}: ${letter.link.url}`;
  const parts = [letter.headline, ...letter.paragraphs, facts, link, closing(letter)];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** Writes a letter as HTML that any mail program shows: tables, styles in place, no images, nothing fetched. */
export function renderHtml(letter: Letter): string {
  const { subject, sender, headline, paragraphs, facts, link } = letter;
  const rows = facts.map(([label, value]) => row(label, value)).join("");
  return [
    "<!doctype html>",
    `<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(subject)}</title></head>`,
    `<body style="margin:0;padding:24px;background:#f6f8fa;color:#1a1f36;font-family:sans-serif;font-size:15px">`,
    `<table role="presentation" align="center" cellpadding="0" cellspacing="0" style="${card}">`,
    `<tr><td><p style="margin:0 0 24px;color:#697386">${escapeHtml(sender)}</p>`,
    `<h1 style="margin:0 0 16px;font-size:22px">${escapeHtml(headline)}</h1>`,
    ...paragraphs.map((text) => `<p style="margin:0 0 16px">${lines(text)}</p>`),
    rows === "" ? "" : `<table role="presentation" cellpadding="0" cellspacing="0" style="width:100%">${rows}</table>`,
    link === undefined ? "" : button(link.label, link.url),
    `<p style="margin:24px 0 0;color:#697386;font-size:13px">${escapeHtml(closing(letter))}</p>`,
    "</td></tr></table></body></html>",
  ].join("\n");
}

/** Makes any text harmless in HTML, in an element and in a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

const card = "width:100%;max-width:560px;padding:32px;background:#ffffff;border-radius:8px";

function row(label: string, value: string): string {
  const style = "padding:8px 0;border-top:1px solid #e3e8ee;vertical-align:top";
  return `<tr><td style="${style};color:#697386">${escapeHtml(label)}</td><td align="right" style="${style}">${lines(value)}</td></tr>`;
}

function button(label: string, url: string): string {
  const style = "display:inline-block;padding:10px 18px;background:#1a1f36;color:#ffffff;border-radius:6px";
  return `<p style="margin:24px 0 0"><a href="${escapeHtml(url)}" style="${style}">${escapeHtml(label)}</a></p>`;
}

function lines(text: string): string {
  return escapeHtml(text).replaceAll("\n", "<br>");
}

function closing({ questionsTo, sender }: Letter): string {
  return questionsTo === "" ? sender : `Questions? Write to ${sender} at ${questionsTo}.`;
}
