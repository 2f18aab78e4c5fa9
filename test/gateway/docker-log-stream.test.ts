import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLogDemultiplexer } from "../../src/gateway/docker-log-stream.ts";
import { logFrame } from "./support/fake-docker.ts";

const frames = fc.array(fc.record({ stream: fc.constantFrom(1, 2), payload: fc.uint8Array({ maxLength: 40 }) }), {
  maxLength: 12,
});

function demultiplex(pieces: readonly Buffer[]): {
  stdout: Buffer;
  stderr: Buffer;
  system: Buffer;
  atBoundary: boolean;
} {
  const output: Record<string, Buffer[]> = { stdout: [], stderr: [], system: [] };
  const demultiplexer = createLogDemultiplexer((stream, bytes) => output[stream]?.push(Buffer.from(bytes)));
  for (const piece of pieces) demultiplexer.push(piece);
  const { stdout = [], stderr = [], system = [] } = output;
  const atBoundary = demultiplexer.atBoundary();
  return { stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), system: Buffer.concat(system), atBoundary };
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((one, other) => one - other);
  return [0, ...places].map((start, index) => bytes.subarray(start, places[index] ?? bytes.length));
}

describe("the log demultiplexer", () => {
  it("gives the same output wherever the network cuts the stream", () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(600), { maxLength: 20 }), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(({ stream, payload }) => logFrame(stream, Buffer.from(payload))));
        const received = demultiplex(split(bytes, cuts));
        const expected = (wanted: number): Buffer =>
          Buffer.concat(sent.filter(({ stream }) => stream === wanted).map(({ payload }) => Buffer.from(payload)));
        expect(received.stdout).toEqual(expected(1));
        expect(received.stderr).toEqual(expected(2));
        expect(received.atBoundary).toBe(true);
      }),
    );
  });

  it("knows that a stream which ends inside a frame was cut", () => {
    const frame = logFrame(1, "whole");
    for (let length = 1; length < frame.length; length += 1) {
      expect(demultiplex([frame.subarray(0, length)]).atBoundary).toBe(false);
    }
  });

  it("keeps the log reader's own errors apart from what the program wrote", () => {
    const received = demultiplex([logFrame(2, "mine"), logFrame(3, "Error grabbing logs")]);
    expect(received.stderr.toString()).toBe("mine");
    expect(received.system.toString()).toBe("Error grabbing logs");
  });

  it.each([
    ["the raw output of a container with a TTY", Buffer.from("plain text without any header")],
    ["a stream number that does not exist", Buffer.from([9, 0, 0, 0, 0, 0, 0, 1, 65])],
    ["a header whose padding is not zero", Buffer.from([1, 0, 7, 0, 0, 0, 0, 1, 65])],
  ])("refuses %s", (_what, bytes) => {
    expect(() => demultiplex([bytes])).toThrow(/the log of the sandbox/);
  });
});
