/** The server takes a body of one MiB; the rest is for what goes with the file. */
const MAX_BODY_BYTES = 1024 * 1024 - 8 * 1024;

export type InvoiceFile =
  | { readonly csv: string; readonly rows: number; readonly columns: readonly string[] }
  | { readonly problem: string };

function decode(bytes: Uint8Array): string | null {
  const [first, second] = bytes;
  const encoding = first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Text of a chosen file, or what is wrong with it and what to do. What it holds is read by the server; the counts are for the eye. */
export function readInvoiceFile(bytes: Uint8Array): InvoiceFile {
  const tooLarge = 'The file is larger than about a megabyte: sum it up by day and model before.';
  if (bytes.length > MAX_BODY_BYTES) return { problem: tooLarge };
  const csv = decode(bytes);
  if (csv === null || csv.includes('\0'))
    return { problem: 'The file is not text in UTF-8: save it as "CSV UTF-8", and not as a workbook.' };
  // Quotes and line breaks grow on their way.
  if (new TextEncoder().encode(JSON.stringify(csv)).length > MAX_BODY_BYTES) return { problem: tooLarge };
  const lines = csv.split(/\r?\n|\r/).filter((line) => line !== '');
  if (lines.length < 2) return { problem: 'The file has no rows under its header.' };
  const columns = (lines[0] ?? '').split(',').map((name) => name.trim().replaceAll('"', ''));
  return { csv, rows: lines.length - 1, columns };
}
