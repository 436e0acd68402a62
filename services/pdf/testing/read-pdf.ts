import { getDocument } from "pdfjs-dist/legacy/build/pdf.mjs";

/** Where a piece of text begins and ends on its page, in points from the lower left corner. */
export interface PlacedText {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
}

/** Reads where each upright piece of text stands, page by page. */
export async function readPlaces(pdf: Uint8Array): Promise<PlacedText[]> {
  const document = await getDocument({ data: new Uint8Array(pdf), verbosity: 0 }).promise;
  const pages = Array.from({ length: document.numPages }, async (_, index) => {
    const { items } = await (await document.getPage(index + 1)).getTextContent();
    return items.flatMap((item) => {
      if (!("str" in item) || item.str.trim() === "") return [];
      const [, , , , left = 0, bottom = 0] = item.transform.map(Number);
      return [{ text: item.str, left, right: left + item.width, bottom }];
    });
  });
  return (await Promise.all(pages)).flat();
}

/** Reads a PDF back with Mozilla's reader: the text of each page, one piece a row. */
export async function readPages(pdf: Uint8Array): Promise<string[]> {
  const document = await getDocument({ data: new Uint8Array(pdf), verbosity: 0 }).promise;
  const pages = Array.from({ length: document.numPages }, async (_, index) => {
    const { items } = await (await document.getPage(index + 1)).getTextContent();
    return items.flatMap((item) => ("str" in item && item.str.trim() !== "" ? [item.str] : [])).join("\n");
  });
  return Promise.all(pages);
}

/** Reads what a PDF says of itself. */
export async function readProperties(pdf: Uint8Array): Promise<unknown> {
  const document = await getDocument({ data: new Uint8Array(pdf), verbosity: 0 }).promise;
  return (await document.getMetadata()).info;
}
