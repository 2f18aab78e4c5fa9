// Stands in for the gateway behind the proxy: answers that begin at once and go on for as long as is asked.
import { createHash } from "node:crypto";
import { createServer } from "node:http";

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://gateway");
  const seconds = Number(url.searchParams.get("seconds") ?? 0);
  switch (url.pathname) {
    case "/health":
      return response.end("{}");
    case "/seen":
      response.setHeader("content-type", "application/json");
      return response.end(JSON.stringify({ headers: request.headers, from: request.socket.remoteAddress }));
    case "/login": {
      // As platforms do: the cookie of a session is for https alone where this variable says so.
      const secure = process.env.AUTH_COOKIE_SECURE === "true" ? "; Secure" : "";
      response.setHeader("set-cookie", `session=1; Path=/; HttpOnly; SameSite=Lax${secure}`);
      response.setHeader("content-type", "text/html");
      return response.end(`<!doctype html><link rel="icon" href="data:,"><p>${process.env.BACKEND_CORS_ORIGINS}`);
    }
    case "/silent":
      // An event, silence, an event.
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      response.write("data: first\n\n");
      return void setTimeout(() => response.end("data: last\n\n"), seconds * 1000);
    case "/slow": {
      // A piece each second.
      response.writeHead(200, { "content-type": "text/plain" });
      let sent = 0;
      const timer = setInterval(() => {
        sent += 1;
        response.write(`${sent}\n`);
        if (sent >= seconds) {
          clearInterval(timer);
          response.end("end\n");
        }
      }, 1000);
      return response.on("close", () => clearInterval(timer));
    }
    case "/upload": {
      let bytes = 0;
      request.on("data", (chunk) => {
        bytes += chunk.length;
      });
      return request.on("end", () => response.end(String(bytes)));
    }
    default:
      return response.writeHead(404).end();
  }
});

// A WebSocket that sends back each short text as it came (RFC 6455, without fragments).
server.on("upgrade", (request, socket) => {
  const key = request.headers["sec-websocket-key"];
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.on("data", (frame) => {
    const length = frame[1] & 0x7f;
    const mask = frame.subarray(2, 6);
    const text = Buffer.from(frame.subarray(6, 6 + length)).map((byte, index) => byte ^ mask[index % 4]);
    socket.write(Buffer.concat([Buffer.from([0x81, length]), text]));
  });
  socket.on("error", () => socket.destroy());
});

server.listen(8080, "0.0.0.0");
process.on("SIGTERM", () => process.exit(0));
