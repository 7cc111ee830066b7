/**
 * Railroad diagrams as SVG text: parts that know their size and draw themselves at a point.
 *
 * A track enters a part at its left on `y` and leaves at its right on the same height. Sizes are pixels.
 */

export interface Part {
  readonly width: number;
  readonly up: number; // above the track
  readonly down: number; // below it
  draw(x: number, y: number): string;
}

const RADIUS = 10;
const GAP = 10; // of track between neighbours
const ROW_GAP = 8; // between branches
const BOX_HALF = 13;
const CHAR_WIDTH = 7.9;
const PADDING = 10;

/** A word of the text that is read. */
export function terminal(label: string): Part {
  return box(label, BOX_HALF, 'terminal');
}

/** Another rule. */
export function nonTerminal(label: string): Part {
  return box(label, 0, 'rule');
}

function box(label: string, corner: number, className: string): Part {
  const width = Math.round(label.length * CHAR_WIDTH) + 2 * PADDING;
  return {
    width,
    up: BOX_HALF,
    down: BOX_HALF,
    draw: (x, y) =>
      `<rect class="${className}" x="${x}" y="${y - BOX_HALF}" width="${width}" height="${2 * BOX_HALF}" rx="${corner}"/>` +
      `<text x="${x + width / 2}" y="${y + 5}">${escapeXml(label)}</text>`,
  };
}

export function sequence(parts: readonly Part[]): Part {
  if (parts.length === 0) return track(0);
  if (parts.length === 1) return parts[0]!;
  const width = parts.reduce((sum, part) => sum + part.width, GAP * (parts.length - 1));
  return {
    width,
    up: Math.max(...parts.map((part) => part.up)),
    down: Math.max(...parts.map((part) => part.down)),
    draw(x, y) {
      let svg = '';
      let at = x;
      parts.forEach((part, i) => {
        if (i > 0) {
          svg += line(at, y, at + GAP);
          at += GAP;
        }
        svg += part.draw(at, y);
        at += part.width;
      });
      return svg;
    },
  };
}

/** One of the parts; the first lies on the track, the others below it. */
export function choice(parts: readonly Part[]): Part {
  if (parts.length === 1) return parts[0]!;
  const inner = Math.max(...parts.map((part) => part.width));
  const width = inner + 4 * RADIUS;
  const offsets: number[] = [0];
  for (let i = 1; i < parts.length; i++) {
    const before = offsets[i - 1]! + parts[i - 1]!.down + ROW_GAP + parts[i]!.up;
    offsets.push(Math.max(before, 2 * RADIUS));
  }
  return {
    width,
    up: parts[0]!.up,
    down: offsets.at(-1)! + parts.at(-1)!.down,
    draw(x, y) {
      let svg = '';
      parts.forEach((part, i) => {
        const row = y + offsets[i]!;
        const from = x + 2 * RADIUS;
        const to = from + inner;
        if (i === 0) svg += line(x, y, from) + line(to, y, to + 2 * RADIUS);
        else
          svg +=
            path(`M${x} ${y}q${RADIUS} 0 ${RADIUS} ${RADIUS}V${row - RADIUS}q0 ${RADIUS} ${RADIUS} ${RADIUS}`) +
            path(`M${to} ${row}q${RADIUS} 0 ${RADIUS} ${-RADIUS}V${y + RADIUS}q0 ${-RADIUS} ${RADIUS} ${-RADIUS}`);
        svg += part.draw(from, row) + line(from + part.width, row, to);
      });
      return svg;
    },
  };
}

export function optional(part: Part): Part {
  return choice([track(part.width), part]);
}

/** The part once or more often, with the separator between. */
export function loop(part: Part, separator: Part | null): Part {
  const back = separator ?? track(0);
  const inner = Math.max(part.width, back.width);
  const offset = Math.max(part.down + ROW_GAP + back.up, 2 * RADIUS);
  return {
    width: inner + 2 * RADIUS,
    up: part.up,
    down: offset + back.down,
    draw(x, y) {
      const from = x + RADIUS;
      const to = from + inner;
      const row = y + offset;
      const backAt = from + (inner - back.width) / 2;
      return (
        line(x, y, from) +
        part.draw(from, y) +
        line(from + part.width, y, to + RADIUS) +
        path(`M${to} ${y}q${RADIUS} 0 ${RADIUS} ${RADIUS}V${row - RADIUS}q0 ${RADIUS} ${-RADIUS} ${RADIUS}`) +
        line(backAt + back.width, row, to) +
        back.draw(backAt, row) +
        line(from, row, backAt) +
        path(`M${from} ${row}q${-RADIUS} 0 ${-RADIUS} ${-RADIUS}V${y + RADIUS}q0 ${-RADIUS} ${RADIUS} ${-RADIUS}`)
      );
    },
  };
}

/** A length of track without anything on it. */
export function track(width: number): Part {
  return { width, up: 0, down: 0, draw: (x, y) => line(x, y, x + width) };
}

const MARGIN = 16;
const TITLE_HEIGHT = 26;
const END = 14; // of track before and after
const STYLE =
  'path,line{fill:none;stroke:#444;stroke-width:2}rect{stroke:#444;stroke-width:2}.terminal{fill:#e8f2e4}.rule{fill:#e6eef9}' +
  'text{font:13px monospace;text-anchor:middle;fill:#111}.title{font-weight:bold;text-anchor:start}';

/** One picture of named diagrams, one below the other. */
export function svgOf(title: string, diagrams: readonly { readonly title: string; readonly part: Part }[]): string {
  const inner = Math.max(...diagrams.map(({ part }) => part.width)) + 2 * END;
  let y = MARGIN;
  let body = '';
  for (const { title: name, part } of diagrams) {
    body += `<text class="title" x="${MARGIN}" y="${y + 13}">${escapeXml(name)}</text>\n`;
    const row = y + TITLE_HEIGHT + part.up;
    const end = MARGIN + END + part.width;
    body += `<line x1="${MARGIN}" y1="${row - 7}" x2="${MARGIN}" y2="${row + 7}"/>${line(MARGIN, row, MARGIN + END)}`;
    body += part.draw(MARGIN + END, row);
    body += `${line(end, row, end + END)}<line x1="${end + END}" y1="${row - 7}" x2="${end + END}" y2="${row + 7}"/>\n`;
    y = row + part.down + MARGIN;
  }
  const width = inner + 2 * MARGIN;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}">\n` +
    `<title>${escapeXml(title)}</title>\n<style>${STYLE}</style>\n<rect width="100%" height="100%" style="fill:#fff;stroke:none"/>\n${body}</svg>\n`
  );
}

function line(x1: number, y: number, x2: number): string {
  return x1 === x2 ? '' : `<line x1="${x1}" y1="${y}" x2="${x2}" y2="${y}"/>`;
}

function path(d: string): string {
  return `<path d="${d}"/>`;
}

function escapeXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}
