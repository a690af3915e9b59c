/** rkt's volume matrix: what a volume is, how it may be used, how it is named, and what is at its target already. */
export interface VolumeCase {
  readonly name: string;
  readonly of: 'directory' | 'file' | 'device' | 'empty';
  readonly readOnly: boolean;
  readonly recursive: boolean | undefined;
  /** Which path is a symbolic link. The one at a target is of the image, and as it stands leads out of the root. */
  readonly link: 'none' | 'source' | 'target';
  /** The image has something at the target. */
  readonly filled: boolean;
}

const BOTH = [true, false] as const;

function cases(
  of: VolumeCase['of'],
  recursives: readonly (boolean | undefined)[],
  links: readonly VolumeCase['link'][],
): VolumeCase[] {
  return recursives.flatMap((recursive) =>
    BOTH.flatMap((readOnly) =>
      links.flatMap((link) =>
        BOTH.map((filled) => ({
          name: nameOf(of, recursive, readOnly, link, filled),
          ...{ of, readOnly, recursive, link, filled },
        })),
      ),
    ),
  );
}

function nameOf(
  of: string,
  recursive: boolean | undefined,
  readOnly: boolean,
  link: string,
  filled: boolean,
): string {
  const words = [
    ...(recursive === undefined ? [] : [recursive ? 'recursive' : 'flat']),
    readOnly ? 'ro' : 'rw',
    ...(link === 'none' ? [] : [`${link}-link`]),
    filled ? 'filled' : 'new',
  ];
  return [of, ...words].join('-');
}

const LINKS = ['none', 'source', 'target'] as const;

export const VOLUME_CASES: readonly VolumeCase[] = [
  ...cases('directory', [undefined, true, false], LINKS),
  ...cases('file', [undefined], LINKS),
  ...cases('device', [undefined], LINKS),
  ...cases('empty', [undefined], ['none', 'target']),
];

/** In the app's root: where the image has something, and where a link of it leads. */
export function targetOf({ name, link, filled }: VolumeCase): string {
  const directory = filled ? '/files' : '/new';
  return link === 'target' ? `/files/link-${name}` : `${directory}/${name}`;
}

/** Where the link at a target leads, once `..` ends at the root. */
export function linkTarget({ name, filled }: VolumeCase): string {
  return `../../../..${filled ? '/files' : '/new'}/${name}`;
}

/**
 * For `sh -c SCRIPT sh NAME=TARGET...`: of each what it is and holds, whether what the image has there shows, what is mounted below, and
 * what can be written to.
 */
export const VOLUME_LOOK = `
kind() { if [ -d "$1" ]; then echo directory; elif [ -f "$1" ]; then echo file; elif [ -c "$1" ]; then echo device; else echo none; fi; }
may() { "$@" 2>/dev/null && echo yes || echo no; }
write() { echo "from $1" > "$2"; }
append() { echo more >> "$1"; }
for word in "$@"; do
  name=\${word%%=*} at=\${word#*=} kind=$(kind "\${word#*=}")
  case $kind in
  directory)
    echo "$name $kind holds=$(cat $at/here 2>/dev/null) old=$(may test -e $at/old) below=$(cat $at/sub/below 2>/dev/null)" \
      "write=$(may write $name $at/by-$name) write-below=$(may write $name $at/sub/by-$name)" ;;
  file) echo "$name $kind holds=$(head -1 $at) write=$(may append $at)" ;;
  device) echo "$name $kind read=$(may sh -c ': < "$0"' $at) write=$(may sh -c ': > "$0"' $at) chmod=$(may chmod 666 $at)" ;;
  none) echo "$name $kind" ;;
  esac
done
echo end-of-look
`;
