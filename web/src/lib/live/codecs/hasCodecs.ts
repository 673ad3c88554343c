/** Has this page what the path needs? Pages that came over plain http from another machine have no decoders. */
export function hasCodecs(): boolean {
  return (
    typeof VideoDecoder !== 'undefined' &&
    typeof AudioDecoder !== 'undefined' &&
    typeof AudioWorkletNode !== 'undefined' &&
    typeof EncodedVideoChunk !== 'undefined' &&
    'transferControlToOffscreen' in HTMLCanvasElement.prototype
  );
}
