/** The bytes of a CONNECT hold user name and password, which EMQX hides in its packet strings only. */

const RAW_CONNECT = /(\bbin(?:: |":"))10[0-9A-Fa-f]{8,}|(RECV <<)16,[\d,]{16,}/g;

/** The text with the raw bytes of a CONNECT replaced. */
export function hideRawConnect(text: string): string {
  if (!text.includes('bin') && !text.includes('RECV <<')) return text;
  return text.replace(RAW_CONNECT, (_, hex, list) => `${hex ?? list}******`);
}
