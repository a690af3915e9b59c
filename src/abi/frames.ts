/**
 * The data channel between host and PID 1: frames of many byte streams on one file descriptor.
 *
 * A frame is a header of 8 bytes, little-endian (stream u32, length u32), then `length` bytes; length 0 ends
 * the stream. A sender may have at most `STREAM_WINDOW` bytes of a stream under way: every byte that the receiver
 * has passed on is granted again by a `credit` message on the control channel. So a stalled reader
 * stalls its own stream only.
 */
export const FRAME_HEADER_BYTES = 8;
/** Each frame costs the guest's interpreter the same: large ones are what makes output fast. */
export const FRAME_MAX_BYTES = 1048576;
/** Two of the largest: one can be filled while the other is on its way. */
export const STREAM_WINDOW = 2 * FRAME_MAX_BYTES;

export interface FrameHeader {
  readonly stream: number;
  /** Bytes that follow; 0 ends the stream. */
  readonly length: number;
}

export function encodeFrameHeader(header: FrameHeader, into: DataView, offset = 0): void {
  into.setUint32(offset, header.stream, true);
  into.setUint32(offset + 4, header.length, true);
}

/** @returns the header, or undefined when its length is over what any sender may send: the peer is broken or hostile. */
export function decodeFrameHeader(from: DataView, offset = 0): FrameHeader | undefined {
  const stream = from.getUint32(offset, true);
  const length = from.getUint32(offset + 4, true);
  return length > FRAME_MAX_BYTES ? undefined : { stream, length };
}

/** The frames as what moves them (`src/native/mux.ts`, which knows no protocol) wants them described. */
export const FRAMES = {
  headerBytes: FRAME_HEADER_BYTES,
  maxFrameBytes: FRAME_MAX_BYTES,
  windowBytes: STREAM_WINDOW,
  encode: encodeFrameHeader,
  decode: decodeFrameHeader,
} as const;
