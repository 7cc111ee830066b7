// Adds the platform packages that the registry in use did not offer to package-lock.json.
//
// `npm install` leaves an optional package out of the lock file when the registry has no such package, and `npm ci` then
// refuses the lock file on every machine. The entries written here say which platform each belongs to, so npm skips them
// where they do not fit and fetches them by name and version where they do. Run after every change of a dependency.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const platforms = { darwin: 'darwin', linux: 'linux', win32: 'win32', android: 'android' };
const processors = { x64: 'x64', arm64: 'arm64', universal: null };

for (const entry of Object.values({ ...lock.packages })) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (lock.packages[key]) continue;
    const parts = name.split('/').pop().split('-');
    const os = parts.map((part) => platforms[part]).find(Boolean);
    const cpu = parts.map((part) => processors[part]).find(Boolean);
    if (!os) throw new Error(`cannot tell the platform of ${name}`);
    lock.packages[key] = {
      version,
      optional: true,
      ...(entry.dev ? { dev: true } : {}),
      ...(cpu ? { cpu: [cpu] } : {}),
      os: [os],
      ...(os === 'linux' ? { libc: [parts.includes('musl') ? 'musl' : 'glibc'] } : {}),
    };
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
