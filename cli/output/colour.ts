/** When to colour, and with what. */
import picocolors from 'picocolors';

export type Environment = { readonly [name: string]: string | undefined };
export type Colours = ReturnType<typeof picocolors.createColors>;

/**
 * Colour is for terminals. `NO_COLOR` with any text turns it off for good; `FORCE_COLOR` turns it on for pipes too, or off
 * with `0` or `false`; a terminal that calls itself `dumb` gets none.
 */
export function coloursEnabled(stream: { readonly isTTY?: boolean }, env: Environment): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  return stream.isTTY === true && env.TERM !== 'dumb';
}

/** Functions such as `red(text)`; they return the text as it is where colour is off. */
export function colours(stream: { readonly isTTY?: boolean }, env: Environment): Colours {
  return picocolors.createColors(coloursEnabled(stream, env));
}
