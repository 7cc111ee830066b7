/** What went wrong with a file, as an error that names it and says what to do. */
import { InputError } from '../../errors.ts';

export function readError(file: string, error: unknown): InputError {
  if (error instanceof InputError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code === 'ENOENT')
    return new InputError('not-found', `There is no file or folder ${file}.`, { file, hint: 'Check the path.' });
  if (code === 'EACCES' || code === 'EPERM')
    return new InputError('not-readable', `${file} may not be read.`, { file, hint: 'Check its permissions.' });
  if (code === 'Z_BUF_ERROR')
    return new InputError('gzip-cut', `${file} is a gzip file that breaks off before its end.`, {
      file,
      hint: 'Copy it again; what could be read was kept.',
    });
  if (code.startsWith('Z_'))
    return new InputError('gzip-broken', `${file} is not a readable gzip file (${(error as Error).message}).`, {
      file,
      hint: 'Test it with gzip -t, copy it again; what could be read was kept.',
    });
  return new InputError('not-readable', `${file} cannot be read: ${(error as Error).message}`, {
    file,
    hint: 'Check the file and the disk.',
  });
}
