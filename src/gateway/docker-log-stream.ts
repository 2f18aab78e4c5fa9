/** Whose words a frame carries: the program's output, or in `system` the log reader's own errors. */
export type LogStream = "stdout" | "stderr" | "system";

/** Takes the bytes of a log response in pieces of any size. */
export interface LogDemultiplexer {
  /** Throws when the bytes are not Docker's multiplexed stream. */
  readonly push: (chunk: Buffer) => void;
  /** True between frames: a stream that ends elsewhere was cut. */
  readonly atBoundary: () => boolean;
}

const headerBytes = 8;

/**
 * Splits the stream of `GET /containers/{id}/logs` of a container without a TTY: frames of an 8-byte header (stream
 * number, three zeros, payload length as a big-endian 32-bit integer) and a payload. Payloads are passed on as they come,
 * so memory stays bounded whatever length a header claims.
 */
export function createLogDemultiplexer(onOutput: (stream: LogStream, bytes: Buffer) => void): LogDemultiplexer {
  const header = Buffer.alloc(headerBytes);
  let headerFilled = 0;
  let stream: LogStream = "stdout";
  let remaining = 0;
  return {
    push(chunk) {
      let offset = 0;
      while (offset < chunk.length) {
        if (remaining > 0) {
          const payload = chunk.subarray(offset, offset + remaining);
          remaining -= payload.length;
          offset += payload.length;
          onOutput(stream, payload);
          continue;
        }
        const copied = chunk.copy(header, headerFilled, offset, offset + headerBytes - headerFilled);
        headerFilled += copied;
        offset += copied;
        if (headerFilled < headerBytes) continue;
        headerFilled = 0;
        stream = streamOf(header);
        remaining = header.readUInt32BE(4);
      }
    },
    atBoundary: () => remaining === 0 && headerFilled === 0,
  };
}

function streamOf(header: Buffer): LogStream {
  if (header[1] !== 0 || header[2] !== 0 || header[3] !== 0)
    throw new Error("the log of the sandbox is not multiplexed");
  switch (header[0]) {
    // 0 is stdin, which Docker documents as being written to stdout.
    case 0:
    case 1:
      return "stdout";
    // 3 carries errors of the log reader itself.
    case 2:
      return "stderr";
    case 3:
      return "system";
    default:
      throw new Error(`the log of the sandbox has an unknown stream number ${header[0]}`);
  }
}
