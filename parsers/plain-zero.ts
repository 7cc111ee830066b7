/** JSON and databases know one zero: `-0`, as printf and Erlang print it, becomes 0. */
export function plainZero(value: number): number {
  return value === 0 ? 0 : value;
}
