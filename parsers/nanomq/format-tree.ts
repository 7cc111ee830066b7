/**
 * Many formats as one tree, so that a message is compared with what they share only once.
 *
 * Edges are stretches of literal text, told apart by their first character, and conversions of numbers and addresses. Formats
 * with a string conversion are not in the tree: a string has no fixed end.
 */
import { endOfSlot } from './format-matcher.ts';
import type { FormatPart, SlotKind } from './printf-format.ts';

type FixedKind = Exclude<SlotKind, 'string'>;

interface Edge<T> {
  text: string;
  to: Node<T>;
}

interface Node<T> {
  readonly edges: Map<number, Edge<T>>;
  readonly slots: { readonly kind: FixedKind; readonly to: Node<T> }[];
  /** Format that ends here, and its rank: a lower one goes before. */
  value: T | null;
  rank: number;
}

export interface TreeMatch<T> {
  readonly value: T;
  readonly rank: number;
  /** Start and end of each conversion's text. */
  readonly slots: readonly number[];
}

export class FormatTree<T> {
  private readonly root: Node<T> = newNode();

  /** Of two formats with the same parts the first one stays. */
  add(parts: readonly FormatPart[], value: T, rank: number): void {
    let node = this.root;
    for (const part of parts) {
      if (part.kind === 'string') throw new RangeError('a format with a string has no place in the tree');
      node = part.kind === 'literal' ? addLiteral(node, part.text) : addSlot(node, part.kind);
    }
    if (node.value !== null) return;
    node.value = value;
    node.rank = rank;
  }

  /** The format of lowest rank that the whole text fits, or null. */
  match(text: string): TreeMatch<T> | null {
    return walk(this.root, text, 0, [], null);
  }
}

function walk<T>(
  from: Node<T>,
  text: string,
  at: number,
  slots: number[],
  found: TreeMatch<T> | null,
): TreeMatch<T> | null {
  let node = from;
  let pos = at;
  let best = found;
  for (;;) {
    if (pos === text.length && node.value !== null && (best === null || node.rank < best.rank)) {
      best = { value: node.value, rank: node.rank, slots: slots.slice() };
    }
    const edge = node.edges.size === 0 ? undefined : node.edges.get(text.charCodeAt(pos));
    const hasEdge = edge !== undefined && text.startsWith(edge.text, pos);
    if (!hasEdge && node.slots.length === 1) {
      // The only way on: most nodes are like this.
      const slot = node.slots[0]!;
      const end = endOfSlot(slot.kind, text, pos);
      if (end === -1) return best;
      slots.push(pos, end);
      node = slot.to;
      pos = end;
      continue;
    }
    for (const slot of node.slots) {
      const end = endOfSlot(slot.kind, text, pos);
      if (end !== -1) best = walk(slot.to, text, end, [...slots, pos, end], best);
    }
    if (!hasEdge) return best;
    node = edge.to;
    pos += edge.text.length;
  }
}

function newNode<T>(): Node<T> {
  return { edges: new Map(), slots: [], value: null, rank: 0 };
}

function addSlot<T>(node: Node<T>, kind: FixedKind): Node<T> {
  const known = node.slots.find((slot) => slot.kind === kind);
  if (known !== undefined) return known.to;
  const to = newNode<T>();
  node.slots.push({ kind, to });
  return to;
}

function addLiteral<T>(from: Node<T>, literal: string): Node<T> {
  let node = from;
  let rest = literal;
  while (rest !== '') {
    const edge = node.edges.get(rest.charCodeAt(0));
    if (edge === undefined) {
      const to = newNode<T>();
      node.edges.set(rest.charCodeAt(0), { text: rest, to });
      return to;
    }
    const shared = sharedLength(edge.text, rest);
    if (shared < edge.text.length) splitEdge(edge, shared);
    node = edge.to;
    rest = rest.slice(shared);
  }
  return node;
}

function splitEdge<T>(edge: Edge<T>, at: number): void {
  const middle = newNode<T>();
  middle.edges.set(edge.text.charCodeAt(at), { text: edge.text.slice(at), to: edge.to });
  edge.text = edge.text.slice(0, at);
  edge.to = middle;
}

function sharedLength(a: string, b: string): number {
  let at = 0;
  while (at < a.length && at < b.length && a.charCodeAt(at) === b.charCodeAt(at)) at += 1;
  return at;
}
