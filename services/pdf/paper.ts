import { readFileSync } from "node:fs";
import PDFDocument from "pdfkit";
import { assert } from "../_runtime/errors.ts";
import { layable, RIGHT_TO_LEFT, wordsFromLeft } from "./scripts.ts";
import { printable } from "./words.ts";

/** A4 in points (1/72 inch), and what is kept free around the text. */
export const page = { width: 595.28, height: 841.89, margin: 50, bottom: 770 } as const;

/** Where text may start and end, in points from the left edge. */
export const column = { left: page.margin, right: page.width - page.margin } as const;

/** The colours of everything printed. */
export const colour = { ink: "#1a1f36", soft: "#697386", rule: "#d5dbe1", paid: "#0b7a4b", void: "#b3093c" } as const;

/** How a piece of text looks. */
export interface Look {
  /** The size of the letters in points; 9 unless told otherwise. */
  readonly size?: number;
  readonly isBold?: boolean;
  readonly colour?: string;
}

/** Where a piece of text stands: `x` is its left edge, its middle or its right edge, as it is aligned. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly align?: "left" | "center" | "right";
}

/** A pile of A4 sheets one writes on from top to bottom, through `y`. */
export interface Paper {
  readonly document: PDFKit.PDFDocument;
  /** Where the next thing goes, in points from the top of the sheet. */
  y: number;
  /** What is printed at the top of each further sheet; undefined for nothing. */
  heading: (() => void) | undefined;
  /** Writes one line of text, as it is, wherever told; letters that cannot be printed right have stand-ins (scripts.ts). */
  write(text: string, place: Place, look?: Look): void;
  /** How wide a line of text is when it is written, in points. */
  width(text: string, look?: Look): number;
  /** Breaks text into lines no wider than `width` points: between words, and inside a word that is wider by itself. */
  wrap(text: string, width: number, look?: Look): readonly string[];
  /** Draws a hairline across the sheet at `y`. */
  rule(y: number): void;
  /** Turns to a further sheet, with its heading, when less than `height` points are left on this one. */
  need(height: number): void;
}

// DejaVu Sans has every letter of the Latin, Greek, Cyrillic, Armenian and Georgian scripts. The files lie here, and not
// in a package, so that no update of a package can change the bytes of an invoice.
const fonts = {
  regular: readFileSync(new URL("fonts/DejaVuSansCondensed.ttf", import.meta.url)),
  bold: readFileSync(new URL("fonts/DejaVuSansCondensed-Bold.ttf", import.meta.url)),
};

// What a reader takes in at arm's length; 9 points of this font are as large as 10 of Helvetica.
const SIZE_DEFAULT = 9;

/** The distance from one line of text to the next, in points: this font asks for 1.16 times its size at least. */
export function leading(look?: Look): number {
  return (look?.size ?? SIZE_DEFAULT) * 1.4;
}

/** Opens a document. It says when it was made by `time` and by nothing else, so that the same text gives the same bytes. */
export function createPaper({ title, author, time }: { title: string; author: string; time: Date }): Paper {
  const document = new PDFDocument({
    size: [page.width, page.height],
    margin: 0,
    bufferPages: true,
    // zlib's output differs between processors (Chromium's zlib, in Node, hashes with whatever the processor offers).
    compress: false,
    lang: "en",
    displayTitle: true,
    info: {
      Title: printable(title),
      Author: printable(author),
      Creator: "Tripe",
      Producer: "Tripe",
      CreationDate: time,
    },
  });
  document.registerFont("regular", fonts.regular);
  document.registerFont("bold", fonts.bold);
  const paper: Paper = {
    document,
    y: page.margin,
    heading: undefined,
    write: (text, place, look) => write(document, text, place, look),
    width: (text, look) => dress(document, look).widthOfString(layable(printable(text), hasGlyphOf(document))),
    wrap: (text, width, look) => wrap(dress(document, look), text, width),
    rule: (y) => {
      document.moveTo(column.left, y).lineTo(column.right, y).lineWidth(0.75).strokeColor(colour.rule).stroke();
    },
    need: (height) => need(paper, height),
  };
  return paper;
}

/** Ends the document and returns the file. */
export async function bind({ document }: Paper): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const file = new Promise<Buffer>((resolve, reject) => {
    document.on("data", (chunk: Buffer) => chunks.push(chunk));
    document.on("end", () => resolve(Buffer.concat(chunks)));
    document.on("error", reject);
  });
  document.end();
  return file;
}

function write(document: PDFKit.PDFDocument, text: string, { x, y, align }: Place, look?: Look): void {
  dress(document, look);
  const line = layable(printable(text).replaceAll("\n", " "), hasGlyphOf(document));
  const width = align === undefined || align === "left" ? 0 : document.widthOfString(line);
  const left = align === "center" ? x - width / 2 : x - width;
  document.fillColor(look?.colour ?? colour.ink);
  const words = wordsFromLeft(line);
  if (words === undefined) document.text(line, left, y, { lineBreak: false });
  else writeWords(document, words, { x: left, y });
}

// Each by itself: the font turns the letters of a word, and what is beside it is placed here.
function writeWords(document: PDFKit.PDFDocument, words: readonly string[], { x, y }: { x: number; y: number }): void {
  const space = document.widthOfString(" ");
  let left = x;
  for (const word of words) {
    document.text(word, left, y, { lineBreak: false });
    left += document.widthOfString(word) + space;
  }
}

interface GlyphFont {
  hasGlyphForCodePoint(codePoint: number): boolean;
}

// pdfkit keeps the font it draws with, and fontkit's inside it. Without a glyph it would draw the font's first one, a box, and
// measure it in units of the font: half as wide as it is drawn.
function hasGlyphOf(document: PDFKit.PDFDocument): (codePoint: number) => boolean {
  const font: unknown = Reflect.get(Object(Reflect.get(document, "_font")), "font");
  assert(isGlyphFont(font), "pdfkit draws with a font of fontkit's");
  return (codePoint) => font.hasGlyphForCodePoint(codePoint);
}

function isGlyphFont(font: unknown): font is GlyphFont {
  return typeof font === "object" && font !== null && "hasGlyphForCodePoint" in font;
}

function dress(document: PDFKit.PDFDocument, look?: Look): PDFKit.PDFDocument {
  return document.font(look?.isBold === true ? "bold" : "regular").fontSize(look?.size ?? SIZE_DEFAULT);
}

function need(paper: Paper, height: number): void {
  if (paper.y + height <= page.bottom) return;
  paper.document.addPage();
  paper.y = page.margin;
  paper.heading?.();
}

function wrap(document: PDFKit.PDFDocument, text: string, width: number): readonly string[] {
  const hasGlyph = hasGlyphOf(document);
  return printable(text)
    .trim()
    .split("\n")
    .flatMap((paragraph) => wrapParagraph(document, layable(paragraph, hasGlyph), width));
}

function wrapParagraph(document: PDFKit.PDFDocument, paragraph: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  // Each line of a paragraph from right to left is one itself.
  const mark = paragraph.startsWith(RIGHT_TO_LEFT) ? RIGHT_TO_LEFT : "";
  const words = paragraph.slice(mark.length).split(" ").filter(Boolean);
  for (const piece of words.flatMap((word) => breakWord(document, word, width))) {
    const longer = line === "" ? piece : `${line} ${piece}`;
    if (line === "" || document.widthOfString(longer) <= width) {
      line = longer;
    } else {
      lines.push(line);
      line = piece;
    }
  }
  return [...lines, line].map((one) => `${mark}${one}`);
}

function breakWord(document: PDFKit.PDFDocument, word: string, width: number): readonly string[] {
  if (document.widthOfString(word) <= width) return [word];
  const pieces: string[] = [];
  let piece = "";
  for (const letter of word) {
    if (piece !== "" && document.widthOfString(piece + letter) > width) {
      pieces.push(piece);
      piece = "";
    }
    piece += letter;
  }
  return [...pieces, piece];
}
