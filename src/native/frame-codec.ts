/** What the frames of a `Mux` look like: the caller's matter, so that this folder knows no protocol. */
export interface FrameHeader {
  readonly stream: number;
  /** Bytes that follow; 0 ends the stream. */
  readonly length: number;
}

export interface FrameCodec {
  readonly headerBytes: number;
  readonly maxFrameBytes: number;
  /** Bytes of one stream that may be under way before the receiver grants more. */
  readonly windowBytes: number;
  encode(header: FrameHeader, into: DataView): void;
  /** Undefined: the peer is broken or hostile. */
  decode(from: DataView): FrameHeader | undefined;
}
