/** Lines from Kubernetes: files of the container runtime, and `kubectl logs --prefix`. */
import { parseRfc3339 } from '../date-time.ts';
import type { Wrapper } from './wrapper.ts';

const CRI =
  /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) (stdout|stderr) ([PF](?::[^ ]*)?)(?: |$)/;

/** `/var/log/containers/*.log`: `TIME stdout F text`; P instead of F marks a part of a line. */
export const cri: Wrapper = {
  title: 'the prefix of a Kubernetes container runtime',
  objects: false,
  indents: false,
  mayHoldStamps: false,
  unwrap(text) {
    const found = CRI.exec(text);
    if (found === null) return null;
    const ts = parseRfc3339(found[1]!);
    return {
      text: text.slice(found[0].length),
      envelope: { collector: 'cri', ...(ts === null ? {} : { ts }), stream: found[2]! },
      partial: found[3]!.startsWith('P'),
      prefixLength: found[0].length,
    };
  },
};

const KUBECTL =
  /^(?:\x1b\[[\d;]*m)*\[((?:pod|deployment|statefulset|daemonset|job)\/[^\s\]/]+(?:\/[^\s\]]+)?)\](?:\x1b\[[\d;]*m)*(?: |$)/;

/** `kubectl logs --prefix`: `[pod/NAME/CONTAINER] text`; with --timestamps a stamp follows. */
export const kubectl: Wrapper = {
  title: "kubectl's prefix",
  objects: false,
  indents: false,
  mayHoldStamps: true,
  unwrap(text) {
    const found = KUBECTL.exec(text);
    if (found === null) return null;
    return {
      text: text.slice(found[0].length),
      envelope: { collector: 'kubectl', service: found[1]! },
      partial: false,
      prefixLength: found[0].length,
    };
  },
};
