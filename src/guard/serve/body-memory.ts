import { Failure } from "../failure.ts";

/** What one request holds of the memory for bodies. */
export interface BodyShare {
  /** Takes so many bytes more; a `Failure` where all requests together would hold too much. */
  readonly take: (bytes: number) => void;
  /** Gives everything back; more than once does no harm. */
  readonly giveBack: () => void;
}

// One archive and a handful of the longest bodies of other requests.
const sharedBytesMax = 48 * 1024 * 1024;

/** Memory that the bodies of all requests share: many long ones at once are refused before they end the guard. */
export function shareBodyMemory(bytesMax = sharedBytesMax): () => BodyShare {
  let held = 0;
  return () => {
    let mine = 0;
    return {
      take(bytes) {
        if (held + bytes > bytesMax)
          throw new Failure("limit.bodies", 429, "too many long requests came at once; try again");
        held += bytes;
        mine += bytes;
      },
      giveBack() {
        held -= mine;
        mine = 0;
      },
    };
  };
}
