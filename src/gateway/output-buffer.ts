/** Collects a stream of bytes up to a limit and says whether more came. */
export interface OutputBuffer {
  readonly push: (chunk: Uint8Array) => void;
  readonly truncated: () => boolean;
  /** The kept bytes as UTF-8; a character cut by the limit is left out, invalid bytes become U+FFFD. */
  readonly text: () => string;
}

/** An empty buffer that keeps the first `limitBytes` bytes. */
export function createOutputBuffer(limitBytes: number): OutputBuffer {
  const chunks: Buffer[] = [];
  let kept = 0;
  let cut = false;
  return {
    push(chunk) {
      const room = limitBytes - kept;
      if (chunk.length > room) cut = true;
      if (room === 0) return;
      const part = Buffer.from(chunk.subarray(0, room));
      chunks.push(part);
      kept += part.length;
    },
    truncated: () => cut,
    text: () => new TextDecoder("utf-8", { ignoreBOM: true }).decode(Buffer.concat(chunks), { stream: cut }),
  };
}

/** The start of a text that fits into `limitBytes` of UTF-8, and whether anything was cut. */
export function cutText(text: string, limitBytes: number): { readonly text: string; readonly truncated: boolean } {
  const buffer = createOutputBuffer(limitBytes);
  buffer.push(Buffer.from(text, "utf8"));
  return { text: buffer.text(), truncated: buffer.truncated() };
}
