import type { JsonObject, JsonValue } from "../request/json.ts";

/** A request as a client sent it: read whole, with nothing interpreted yet. */
export interface ClientRequest {
  readonly method: string;
  /** Exactly as on the request line. */
  readonly target: string;
  /** Names and values in the order and spelling in which they arrived, repetitions included. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

/**
 * Something about the world that a decision depends on. Whoever carries decisions out answers questions and asks again:
 * that keeps the decision itself a function of values.
 */
export type Question =
  /** A container by what the client called it: a name, an id or the beginning of one. */
  | { readonly kind: "container"; readonly reference: string }
  | { readonly kind: "exec"; readonly id: string }
  /** The id that a reference means to the engine now. */
  | { readonly kind: "image"; readonly reference: string }
  /** Where a path of the host leads when every symlink is followed. */
  | { readonly kind: "path"; readonly path: string }
  /** How many sandboxes exist, and how many were created in the last minute. */
  | { readonly kind: "sandboxes" };

/** What the engine says of a container; `inspected` is its own JSON, of which only known fields are read. */
export interface ContainerFact {
  readonly id: string;
  readonly name: string;
  readonly imageId: string;
  readonly running: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly inspected: JsonObject;
}

/** What the engine says of a command that was prepared in a container, by whomever. */
export interface ExecFact {
  readonly containerId: string;
  readonly privileged: boolean;
  /** Empty: the container's own. */
  readonly user: string;
}

/** An answer to a question. `undefined` means: there is no such thing. A failed question never becomes an answer. */
export interface Facts {
  /** What is known from the start: the engine's API version, and the id of each allowed image at that time. */
  readonly engine: { readonly apiVersion: string };
  readonly pinnedImages: ReadonlyMap<string, string>;
  container(reference: string): Known<ContainerFact | undefined>;
  exec(id: string): Known<ExecFact | undefined>;
  image(reference: string): Known<string | undefined>;
  /** The real path, or undefined where nothing is. */
  path(path: string): Known<string | undefined>;
  sandboxes(): Known<{ readonly alive: number; readonly createdLastMinute: number }>;
}

/** A fact that has been established, or the question that has to be answered first. */
export type Known<Value> =
  | { readonly known: true; readonly value: Value }
  | { readonly known: false; readonly question: Question };

/** A tar archive on its way into a container: for the engine a file's content, not something that it obeys. */
export interface ArchiveBody {
  readonly tar: Uint8Array;
}

/** What is sent to the engine: built from what was understood, never copied from what was received. */
export interface EngineRequest {
  readonly method: "GET" | "HEAD" | "POST" | "DELETE" | "PUT";
  /** Version, path and query, every part encoded anew. */
  readonly target: string;
  readonly body: JsonObject | ArchiveBody | undefined;
  /** `none`: an answer with an end; `download`: one that may go on; `duplex`: a raw connection after `101`. */
  readonly stream: "none" | "download" | "duplex";
}

/** What the audit says of a request, apart from how it went on: names and numbers, never the value of a variable. */
export interface AuditNotes {
  readonly route?: string;
  readonly container?: string;
  readonly image?: string;
  /** The field that was refused, such as `HostConfig.Privileged`. */
  readonly field?: string;
  /** What was changed on the way, such as `HostConfig.PidsLimit: 0 -> 256`. */
  readonly rewrites?: readonly string[];
  readonly environmentNames?: readonly string[];
  readonly mounts?: readonly string[];
  readonly ports?: readonly string[];
}

/** A refusal, or the questions that have to be answered first: what a part of the decision can end with besides success. */
export type Refusal =
  | {
      readonly kind: "deny";
      readonly rule: string;
      readonly status: number;
      /** The text of the answer's `message`, which clients show: it names the rule. For what does not exist, Docker's own text. */
      readonly message: string;
      readonly notes: AuditNotes;
    }
  | { readonly kind: "ask"; readonly questions: readonly [Question, ...Question[]] };

/** What happens to a request. */
export type Decision =
  | { readonly kind: "forward"; readonly rule: string; readonly request: EngineRequest; readonly notes: AuditNotes }
  /** Answered by the guard itself, with status 200: the engine has nothing to add, or would say too much. */
  | { readonly kind: "answer"; readonly rule: string; readonly body: JsonValue; readonly notes: AuditNotes }
  | Refusal;
