const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const MONTH = 30 * DAY;
const YEAR = 12 * MONTH;

/** Up to which age, what is said, and of how many what; the words are those of rkt. */
const AGES: readonly (readonly [below: number, text: string, unit: number])[] = [
  [SECOND, 'now', 1],
  [2 * SECOND, '1 second ago', 1],
  [MINUTE, '% seconds ago', SECOND],
  [2 * MINUTE, '1 minute ago', 1],
  [HOUR, '% minutes ago', MINUTE],
  [2 * HOUR, '1 hour ago', 1],
  [DAY, '% hours ago', HOUR],
  [2 * DAY, '1 day ago', 1],
  [WEEK, '% days ago', DAY],
  [2 * WEEK, '1 week ago', 1],
  [MONTH, '% weeks ago', WEEK],
  [2 * MONTH, '1 month ago', 1],
  [YEAR, '% months ago', MONTH],
  [18 * MONTH, '1 year ago', 1],
  [2 * YEAR, '2 years ago', 1],
  [37 * YEAR, '% years ago', YEAR],
  [Number.POSITIVE_INFINITY, 'a long while ago', 1],
];

/** How long ago a time (nanoseconds since 1970) is: `now`, `6 seconds ago`. */
export function relativeTime(nanoseconds: bigint, now = Date.now()): string {
  const age = Math.max(0, now - Number(nanoseconds / 1_000_000n));
  const [, text = '', unit = 1] = AGES.find(([below]) => age < below) ?? [];
  return text.replace('%', String(Math.floor(age / unit)));
}

/** Go's layout `2006-01-02 15:04:05.999 -0700 MST`, in the local zone. */
export function absoluteTime(nanoseconds: bigint): string {
  const time = new Date(Number(nanoseconds / 1_000_000n));
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  const fraction = String(time.getMilliseconds()).padStart(3, '0').replace(/0+$/, '');
  return `${day} ${clock}${fraction === '' ? '' : `.${fraction}`} ${offset(time)} ${zone(time)}`;
}

function offset(time: Date): string {
  const minutes = -time.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}

/** `CET`. No one locale knows all abbreviations; a zone without one is shown by its offset, as Go does. */
function zone(time: Date): string {
  if (time.getTimezoneOffset() === 0 && Intl.DateTimeFormat().resolvedOptions().timeZone === 'UTC')
    return 'UTC';
  const known = ['en-US', 'en-GB', 'en-AU', 'en-IN']
    .map((locale) => zoneName(locale, time))
    .find((name) => name !== undefined && !/^(GMT|UTC)[+-]/.test(name));
  return known ?? offset(time).replace(/00$/, '');
}

function zoneName(locale: string, time: Date): string | undefined {
  const parts = new Intl.DateTimeFormat(locale, { timeZoneName: 'short' }).formatToParts(time);
  return parts.find(({ type }) => type === 'timeZoneName')?.value;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
