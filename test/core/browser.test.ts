import { describe, expect, test } from "vitest";
import { browserProgram, type Desk, tunnelCommand } from "../../src/core/browser.ts";

const desk = (env: Desk["env"], platform = "linux"): Desk => ({ env, platform, user: "ada", host: "box" });

describe("the program that opens a page", () => {
  test.each<[string, Desk, string | undefined]>([
    ["on a Linux desktop", desk({ DISPLAY: ":0" }), "xdg-open"],
    ["on Wayland alone", desk({ WAYLAND_DISPLAY: "wayland-0" }), "xdg-open"],
    ["on macOS", desk({}, "darwin"), "open"],
    ["in WSL", desk({ WSL_DISTRO_NAME: "Debian", DISPLAY: ":0" }), "wslview"],
    ["on a console without a display", desk({}), undefined],
    ["over SSH, even with a forwarded display", desk({ SSH_CONNECTION: "a 1 b 22", DISPLAY: ":10" }), undefined],
    ["over SSH to macOS", desk({ SSH_TTY: "/dev/ttys001" }, "darwin"), undefined],
  ])("%s", (_where, at, program) => {
    expect(browserProgram(at)).toBe(program);
  });
});

describe("the tunnel to a page that listens on loopback", () => {
  const ssh = (connection: string) => desk({ SSH_CONNECTION: connection });
  test.each<[string, Desk, string | undefined]>([
    ["http://127.0.0.1:2026", ssh("198.51.100.1 5000 203.0.113.5 22"), "ssh -N -L 2026:127.0.0.1:2026 ada@203.0.113.5"],
    ["http://[::1]:80", ssh("2001:db8::1 5000 2001:db8::7 2222"), "ssh -N -L 80:[::1]:80 -p 2222 ada@2001:db8::7"],
    ["https://localhost", desk({}), "ssh -N -L 443:localhost:443 ada@box"],
    ["http://192.0.2.7:2026", ssh("198.51.100.1 5000 203.0.113.5 22"), undefined],
    ["https://agents.example.com", desk({}), undefined],
  ])("%s", (url, at, command) => {
    expect(tunnelCommand(url, at)).toBe(command);
  });
});
