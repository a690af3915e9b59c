/** How many digits of an image id are shown where there is little room, and where there is none to guess. */
export type IdDigits = 12 | 32;

/** `sha512-` and the first digits. */
export function shortImageId(id: string, digits: IdDigits): string {
  return id.slice(0, id.indexOf('-') + 1 + digits);
}
