/**
 * Reads how much a zstd frame says it holds, so that its output can be allocated once. A hint from a stranger: the caller bounds
 * what it allocates for it.
 *
 *   frame := magic(4) descriptor(1) [window(1)] [dictionary id(0,1,2,4)] [content size(0,1,2,4,8)] blocks ...
 *
 * source  RFC 8878, section 3.1.1
 */
const magic = 0xfd2fb528
const dictionaryIdBytes = [0, 1, 2, 4]
const contentSizeBytes = [0, 2, 4, 8]

/** Undefined: not a frame, or it does not say. */
export function readZstdContentSize(frame: Uint8Array): number | undefined {
  if (frame.length < 6) return undefined
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  if (view.getUint32(0, true) !== magic) return undefined
  const descriptor = view.getUint8(4)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const sizeFlag = descriptor >> 6
  const sizeBytes = sizeFlag === 0 && isSingleSegment ? 1 : contentSizeBytes[sizeFlag]!
  const at = 5 + (isSingleSegment ? 0 : 1) + dictionaryIdBytes[descriptor & 3]!
  if (sizeBytes === 0 || at + sizeBytes > frame.length) return undefined
  switch (sizeBytes) {
    case 1:
      return view.getUint8(at)
    case 2:
      return view.getUint16(at, true) + 256
    case 4:
      return view.getUint32(at, true)
    default:
      return Number(view.getBigUint64(at, true))
  }
}
