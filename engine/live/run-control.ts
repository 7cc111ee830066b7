/** What the two sides ask of, and tell to, the run they are part of. */

export interface RunControl {
  /** Asked before every `handle` of a machine, and counted; false: the run is over. */
  readonly mayHandle: () => boolean;
  /** Inputs pile up; the run stops. */
  readonly overflow: () => void;
  /** The run fails with this error. */
  readonly crashed: (error: unknown) => void;
}
