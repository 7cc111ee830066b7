// Packs the project, installs the tarball in an empty folder as a user would, and runs the command from there. Finds what
// no test inside the repository can: a file missing from `files`, a dependency that only development has, a dead `bin`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const COMMAND_LIMIT_MS = 600_000;
/** What must not leave the repository: tests and their data, measurements, the scripts of the development. */
const UNWANTED = [/^dist\/(test|bench|scripts)\//, /^(test|bench|scripts|node_modules)\//, /corpus/, /\.tsbuildinfo$/];
const { bin, exports: promised } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const WANTED = ['LICENSE', 'README.md', 'queries/schema.sql', ...pathsIn(bin), ...pathsIn(promised)];

const failures = [];
const work = mkdtempSync(path.join(tmpdir(), 'bridgetrace-pack-'));
try {
  const tarball = pack(work);
  checkContents(tarball);
  const project = path.join(work, 'project');
  mkdirSync(project);
  writeFileSync(path.join(project, 'package.json'), '{ "name": "empty", "version": "1.0.0", "private": true }\n');
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball], project);
  const help = run('npx', ['--no', '--', 'bridgetrace', '--help'], project);
  if (!help.includes('bridgetrace')) failures.push('the help does not name bridgetrace');
  run('npx', ['--no', '--', 'bridgetrace', 'demo'], project);
} catch (error) {
  failures.push(error.message);
} finally {
  rmSync(work, { recursive: true, force: true });
}
for (const failure of failures) console.error(`pack-test: ${failure}`);
if (failures.length === 0) console.log('pack-test: passed');
process.exitCode = failures.length === 0 ? 0 : 1;

function pack(folder) {
  run('npm', ['pack', '--pack-destination', folder], root);
  const name = readdirSync(folder).find((file) => file.endsWith('.tgz'));
  if (!name) throw new Error('npm pack wrote no tarball');
  return path.join(folder, name);
}

function checkContents(tarball) {
  const packed = readFileSync(tarball);
  const entries = listTar(gunzipSync(packed));
  const unpacked = entries.reduce((sum, entry) => sum + entry.size, 0);
  console.log(
    `pack-test: ${path.basename(tarball)} ${kilobytes(packed.length)}, ${entries.length} files, unpacked ${kilobytes(unpacked)}`,
  );
  const names = entries.map((entry) => entry.name.replace(/^package\//, ''));
  for (const name of WANTED) if (!names.includes(name)) failures.push(`the tarball lacks ${name}`);
  for (const name of names) {
    if (UNWANTED.some((pattern) => pattern.test(name))) failures.push(`the tarball has ${name}`);
    const source = /^dist\/(.*)\.js$/.exec(name)?.[1];
    if (source && !existsSync(path.join(root, `${source}.ts`))) {
      failures.push(`the tarball has ${name}, whose source is gone; delete dist/ and build again`);
    }
  }
}

/** Every file that `bin` or `exports` of package.json promises. */
function pathsIn(entry) {
  if (typeof entry === 'string') return [entry.replace(/^\.\//, '')];
  return Object.values(entry).flatMap(pathsIn);
}

/** Names and sizes of the files in a tar archive as npm writes it: 512-byte headers, long names as prefix + name. */
function listTar(bytes) {
  const entries = [];
  const field = (at, length) => bytes.toString('utf8', at, at + length).split('\0')[0];
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const size = Number.parseInt(field(at + 124, 12), 8);
    const isFile = '0\0'.includes(String.fromCharCode(bytes[at + 156]));
    const prefix = field(at + 345, 155);
    if (isFile) entries.push({ name: prefix ? `${prefix}/${field(at, 100)}` : field(at, 100), size });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return entries;
}

/** Runs a command to its end and returns what it printed; throws with the output if it fails. */
function run(command, args, cwd) {
  console.log(`pack-test: ${command} ${args.map((arg) => path.basename(arg)).join(' ')}`);
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env: environment(),
    encoding: 'utf8',
    timeout: COMMAND_LIMIT_MS,
    shell: process.platform === 'win32', // npm and npx are .cmd files there
  });
  if (status === 0) return stdout;
  const why = error ? error.message : signal ? `ended by ${signal}` : `exit code ${status}`;
  throw new Error(`${command} ${args.join(' ')}: ${why}\n${stdout}${stderr}`);
}

/** Without what `npm run` adds about this project, so that the inner npm takes its own folder for the project. */
function environment() {
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^npm_(package_|lifecycle_|config_local_prefix$|command$|execpath$)|^INIT_CWD$/i.test(name),
  );
  return Object.fromEntries(entries);
}

function kilobytes(count) {
  return `${(count / 1000).toFixed(1)} kB`;
}
