/** A span of whole seconds as people say it, in its two largest units: `45 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [
    { count: Math.floor(whole / 86_400), unit: "d" },
    { count: Math.floor(whole / 3_600) % 24, unit: "h" },
    { count: Math.floor(whole / 60) % 60, unit: "min" },
    { count: whole % 60, unit: "s" },
  ];
  const first = parts.findIndex(({ count }) => count > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(({ count }) => count > 0)
    .map(({ count, unit }) => `${count} ${unit}`)
    .join(" ");
}
