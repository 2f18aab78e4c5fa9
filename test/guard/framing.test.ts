import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ClientRequest } from "../../src/guard/decision/decision.ts";
import { readFrame } from "../../src/guard/request/framing.ts";
import { request, upgrade } from "./support/decisions.ts";

type Headers = ClientRequest["headers"];

function ruleOf(line: string, body: string, headers: Headers): string | undefined {
  const frame = readFrame(request(line, body, headers));
  return frame.kind === "deny" ? frame.rule : undefined;
}

const form: Headers = [["Content-Type", "application/x-www-form-urlencoded"]];
const length = (bytes: number): Headers => [["Content-Length", String(bytes)]];
const chunked: Headers = [["Transfer-Encoding", "chunked"]];

describe("a request is refused", () => {
  test.each<[what: string, body: string, headers: Headers, rule: string]>([
    ["with both lengths", "{}", [...length(2), ...chunked], "framing.both-lengths"],
    [
      "with both lengths, one in small letters",
      "{}",
      [...length(2), ["transfer-encoding", "chunked"]],
      "framing.both-lengths",
    ],
    ["with two lengths", "{}", [...length(2), ...length(2)], "framing.repeated-header"],
    ["with two lengths in one header", "{}", [["Content-Length", "2, 2"]], "framing.content-length"],
    ["with a signed length", "{}", [["Content-Length", "+2"]], "framing.content-length"],
    ["with a hexadecimal length", "{}", [["Content-Length", "0x2"]], "framing.content-length"],
    ["with an empty length", "", [["Content-Length", ""]], "framing.content-length"],
    ["with a length that is not the body's", "{}", length(3), "framing.content-length"],
    [
      "with a transfer encoding after another",
      "{}",
      [["Transfer-Encoding", "gzip, chunked"]],
      "framing.transfer-encoding",
    ],
    ["with two transfer encodings", "{}", [...chunked, ...chunked], "framing.repeated-header"],
    [
      "with a transfer encoding that is misspelt",
      "{}",
      [["Transfer-Encoding", "xchunked"]],
      "framing.transfer-encoding",
    ],
    ["with the transfer encoding identity", "", [["Transfer-Encoding", "identity"]], "framing.transfer-encoding"],
    ["with two hosts", "", [["Host", "other"]], "framing.repeated-header"],
    ["with two content types", "{}", [...form, ["Content-Type", "application/json"]], "framing.repeated-header"],
    ["with an encoded body", "{}", [["Content-Encoding", "gzip"]], "framing.content-encoding"],
    ["with an expectation", "{}", [["Expect", "100-continue"]], "framing.expect"],
    ["with headers after the body", "{}", [...chunked, ["Trailer", "X-A"]], "framing.trailer"],
    ["with a method in a header", "", [["X-HTTP-Method-Override", "DELETE"]], "framing.x-http-method-override"],
    ["with a form", "a=b", form, "framing.form-body"],
    ["with a form in capitals", "a=b", [["CONTENT-TYPE", "Application/X-WWW-Form-Urlencoded"]], "framing.form-body"],
    ["with a form and a charset", "a=b", [["Content-Type", `${form[0]?.[1]}; charset=utf-8`]], "framing.form-body"],
    [
      "with JSON in another charset",
      "{}",
      [["Content-Type", "application/json; charset=utf-16"]],
      "framing.content-type",
    ],
    ["with a boundary", "{}", [["Content-Type", "multipart/form-data; boundary=x"]], "framing.content-type"],
    ["with a line feed in a header", "", [["X-A", "b\r\nHost: c"]], "framing.header"],
    ["with a header name that is none", "", [["X A", "b"]], "framing.header"],
    [
      "with an upgrade to HTTP/2",
      "",
      [
        ["Connection", "Upgrade"],
        ["Upgrade", "h2c"],
      ],
      "framing.upgrade",
    ],
    ["with an upgrade that only one header asks for", "", [["Upgrade", "tcp"]], "framing.upgrade"],
    ["with an upgrade that only the connection asks for", "", [["Connection", "Upgrade"]], "framing.upgrade"],
    [
      "with an upgrade to two protocols",
      "",
      [
        ["Connection", "Upgrade"],
        ["Upgrade", "tcp, h2c"],
      ],
      "framing.upgrade",
    ],
    ["with an upgrade and a body in chunks", "{}", [...upgrade, ...chunked], "framing.upgrade"],
  ])("%s", (_what, body, headers, rule) => {
    expect(ruleOf("POST /x", body, headers)).toBe(rule);
  });

  test.each(["CONNECT", "OPTIONS", "TRACE", "PATCH", "PRI", "get", "GET ", ""])("with the method %j", (method) => {
    const frame = readFrame({ ...request("GET /x"), method });
    expect(frame).toMatchObject({ kind: "deny", rule: "framing.method", status: 400 });
  });

  test("with a body of which nothing says how long it is", () => {
    const frame = readFrame({ method: "POST", target: "/x", headers: [], body: new TextEncoder().encode("{}") });
    expect(frame).toMatchObject({ kind: "deny", rule: "framing.content-length" });
  });
});

describe("a request is read", () => {
  test.each<[what: string, line: string, body: string, headers: Headers, mediaType: string | undefined]>([
    ["with JSON", "POST /x", "{}", [["Content-Type", "application/json"]], "application/json"],
    [
      "with JSON and its charset",
      "POST /x",
      "{}",
      [["Content-Type", 'application/json; charset="UTF-8"']],
      "application/json",
    ],
    ["in chunks", "POST /x", "{}", chunked, "application/json"],
    ["as the docker CLI attaches, with a type and no body", "POST /x", "", [["Content-Type", "text/plain"]], undefined],
    ["as curl posts, with the type of a form and no body", "POST /x", "", form, undefined],
    [
      "with headers that nobody knows",
      "GET /x",
      "",
      [
        ["X-Anything", "1"],
        ["X-Anything", "2"],
      ],
      undefined,
    ],
    ["over a connection that stays", "GET /x", "", [["Connection", "keep-alive"]], undefined],
  ])("%s", (_what, line, body, headers, mediaType) => {
    const [method] = line.split(" ");
    expect(readFrame(request(line, body, headers))).toEqual({
      kind: "read",
      value: { method, upgrade: false, mediaType },
    });
  });

  test("as an upgrade where both headers ask for it", () => {
    const headers: Headers = [
      ["connection", "keep-alive, Upgrade"],
      ["UPGRADE", "TCP"],
    ];
    expect(readFrame(request("POST /x", "", headers))).toMatchObject({ kind: "read", value: { upgrade: true } });
  });
});

test("no request with both lengths, a repeated length or a foreign encoding is ever read", () => {
  const name = (lower: string) =>
    fc.constantFrom(
      lower,
      lower.toUpperCase(),
      lower.replace(/^./, (c) => c.toUpperCase()),
    );
  const lengthHeader = fc.tuple(
    name("content-length"),
    fc.constantFrom("2", "0", "02", "+2", "2,2", " 2", "\t2", "two"),
  );
  const encoding = fc.tuple(
    name("transfer-encoding"),
    fc.constantFrom("chunked", " chunked", "chunked, identity", "x"),
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(lengthHeader, encoding), { minLength: 2, maxLength: 4 }), (headers) => {
      expect(readFrame({ method: "POST", target: "/x", headers, body: new TextEncoder().encode("{}") }).kind).toBe(
        "deny",
      );
    }),
  );
});
