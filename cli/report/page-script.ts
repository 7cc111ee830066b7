/** The page's script: the compiled files of `page/` put one after the other, since a single file has nowhere to import from. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ENTRY = new URL('./page/main.js', import.meta.url);
const MAX_FILES = 64;
const IMPORT = /^import (?:type )?[^;]*? from '(\.[^']+)';$/gm;
const NAMES = /^(?:export )?(?:const|let|function|async function|class) ([A-Za-z_$][\w$]*)/gm;

/** Each file after those that it imports; imports and exports are taken out. Throws if two files use a name for different things. */
export function pageScript(entry: URL = ENTRY): string {
  const parts: string[] = [];
  const done = new Set<string>();
  const owners = new Map<string, string>();
  const add = (url: URL): void => {
    if (done.has(url.href)) return;
    done.add(url.href);
    if (done.size > MAX_FILES) throw new Error(`more than ${MAX_FILES} files in the page's script`);
    const source = readFileSync(fileURLToPath(url), 'utf8').replace(/^\/\/# sourceMappingURL=.*$/gm, '');
    for (const [, target] of source.matchAll(IMPORT)) add(new URL(target!, url));
    const body = source.replace(IMPORT, '').replace(/^export (?=const|let|function|async|class)/gm, '');
    if (/^(import|export)\b/m.test(body)) throw new Error(`${url.pathname}: an import or export of an unknown form`);
    for (const [, name] of body.matchAll(NAMES)) {
      const owner = owners.get(name!);
      if (owner !== undefined) throw new Error(`${name} is declared in ${owner} and in ${url.pathname}`);
      owners.set(name!, url.pathname);
    }
    parts.push(body.trim());
  };
  add(entry);
  const script = parts.join('\n');
  // It stands in an element that `</script` would end and `<!--` would open a comment in.
  if (/<\/script|<!--/i.test(script)) throw new Error("the page's script must not contain </script or <!--");
  return `\n${script}\n`;
}
